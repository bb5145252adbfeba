# HTT at 480×270: ResNet-18, blocks P and A, its pipelines and loaders. A leaf adds the set: num_joints, num_objects and
# num_actions of the head, data_root and hands of the datasets, and the pose metric.
_base_ = ['../../_base_/schedules/adam_halved.py']

input_size = (480, 270)
clip_length = 128  # T
window = 16  # t; also in the training set, whose clips start at t·s frames in turn
spacing = 2  # s, raw frames of 30 a second
batch_size = 2

codec = dict(type='PixelDepthLabel', input_size=input_size)
model = dict(
    type='HTT',
    data_preprocessor=dict(type='ClipDataPreprocessor'),
    backbone=dict(
        type='ResNet',
        depth=18,
        norm_eval=True,  # statistics of ImageNet stay; their weights are trained
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='HTTHead',
        embed_dims=512,
        window=window,
        num_layers=2,
        num_heads=8,
        feedforward_channels=2048,
        loss=dict(type='HTTLoss'),
        decoder=codec))

train_pipeline = [
    dict(type='LoadHandClip'),
    dict(type='ResizeClip', size=input_size),
    dict(type='ClipColorJitter'),
    dict(type='ShiftClip', max_shift=48),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandClip', strict=True),
    dict(type='ResizeClip', size=input_size),
    dict(type='PackHandInputs'),
]
dataset = dict(
    type='HandClipDataset', clip_length=clip_length, window=window, spacing=spacing, data_prefix=dict(img=''))
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(dataset, ann_file='annotations/train.json', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(dataset, ann_file='annotations/val.json', test_mode=True, pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(dataset, ann_file='annotations/test.json', test_mode=True, pipeline=val_pipeline))
default_hooks = dict(same_classes=dict(type='SameClassesHook'))
class_metrics = [dict(type='ClipActionMetric'), dict(type='ClipObjectMetric')]
