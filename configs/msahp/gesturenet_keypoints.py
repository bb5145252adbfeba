# GestureNet on a table of labelled keypoints: see README.md
_base_ = ['../_base_/runtime.py']

num_classes = 4  # those of the table
batch_size = 128

model = dict(
    type='GestureNet',
    num_classes=num_classes,
    label_smoothing=0.1,
    data_preprocessor=dict(type='GesturePreprocessor', scale='max_abs', rotation=9, shear=0.1, noise=0.02))

train_cfg = dict(by_epoch=False, max_iters=1500, val_interval=500)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=150, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=150, by_epoch=False),  # to the end of the training
]

dataset = dict(type='GestureKeypointDataset', data_root='data/gestures/', ann_file='keypoint.csv')
loader = dict(num_workers=0, persistent_workers=False, collate_fn=dict(type='default_collate'))
train_dataloader = dict(
    loader, batch_size=batch_size, sampler=dict(type='InfiniteSampler', shuffle=True), dataset=dict(dataset, part='train'))
val_dataloader = dict(
    loader, batch_size=512, drop_last=False, sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(dataset, part='val', test_mode=True))
test_dataloader = dict(val_dataloader, dataset=dict(dataset, part='test', test_mode=True))
val_evaluator = [dict(type='GestureMetric')]
test_evaluator = val_evaluator

default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=500, save_best='accuracy', rule='greater'),
    same_classes=dict(type='SameClassesHook'))
log_processor = dict(by_epoch=False)
