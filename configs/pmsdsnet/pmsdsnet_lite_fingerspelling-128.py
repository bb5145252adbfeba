# The shipped lite network, fine-tuned on 50 labelled frames of fingerspelling: see ../msahp/README.md
_base_ = ['pmsdsnet_lite_synthetic-128.py']

labelled = 50
epochs = 4
load_from = 'handkp://lite'
dataset = dict(type='HandVideoDataset', data_root='data/fingerspelling/')

train_dataloader = dict(
    sampler=dict(_delete_=True, type='FixedEpochSampler', samples_per_epoch=500),
    dataset=dict(dataset, spread=labelled))
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dict(dataset, ann_file='annotations/test.json'))
dataset_type = dataset['type']  # MMPose's inferencer reads this
data_root = dataset['data_root']

train_cfg = dict(max_epochs=epochs, val_interval=epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=epochs, by_epoch=True, convert_to_iter_based=True),
]
