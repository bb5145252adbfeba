# The baseline on rendered hands
_base_ = ['cpm_stb.py']

dataset = dict(type='SyntheticHandDataset', data_root='data/synthetic/hands/')

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dict(dataset, ann_file='annotations/val.json'))
test_dataloader = dict(dataset=dataset)
dataset_type = dataset['type']  # MMPose's inferencer reads this
data_root = dataset['data_root']
