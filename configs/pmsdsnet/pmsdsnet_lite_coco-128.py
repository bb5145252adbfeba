# Photographs of your own in COCO's form, with 21 keypoints in this package's order: docs/own_hands.md
_base_ = ['pmsdsnet_lite_synthetic-128.py']

data_root = 'data/my_hands/'
train_ann, val_ann, test_ann = 'annotations/train.json', 'annotations/val.json', 'annotations/test.json'
images = 'images/'  # what file names in the annotations relate to, below data_root
max_epochs = 20
load_from = 'handkp://lite'  # None trains from nothing, for which it takes more epochs and a learning rate of 1e-2
dataset_type = 'OneHand10KDataset'  # MMPose's inferencer reads this
padding = 1.25

train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='RandomFlip'),
    dict(type='RandomBBoxTransform', scale_factor=(0.75, 1.25), rotate_factor=30),
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder={{_base_.codec}}),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='PackHandInputs'),
]
dataset = dict(type=dataset_type, data_root=data_root, data_prefix=dict(img=images))
train_dataloader = dict(dataset=dict(dataset, ann_file=train_ann, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(dataset, ann_file=val_ann, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(dataset, ann_file=test_ann, pipeline=val_pipeline))

train_cfg = dict(max_epochs=max_epochs, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
