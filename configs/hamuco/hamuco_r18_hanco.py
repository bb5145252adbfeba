# HaMuCo on HanCo with 8 calibrated cameras. The set has no part to validate on, so it validates on its test part.
_base_ = ['_base_/hamuco_256.py']

dataset = dict(type='HanCoDataset', data_root='data/hanco/')
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dict(dataset, ann_file='annotations/test.json'))
test_dataloader = dict(dataset=dataset)
