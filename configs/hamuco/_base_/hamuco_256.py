# HaMuCo at 256×256: ResNet-18, both networks, its pipelines and loaders. A leaf adds the set and its crops.
_base_ = ['../../_base_/schedules/adamw_cosine.py']

input_size = (256, 256)
num_views = 8
batch_size = 64  # images: 8 frames
hand = 'open'  # or the path of MANO_RIGHT.pkl

codec = dict(type='WeakPerspectiveLabel', input_size=input_size)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='ResNet',
        depth=18,
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    head=dict(
        type='HaMuCoHead', in_channels=(64, 128, 256, 512), input_size=input_size, hand=hand,
        loss=dict(type='HaMuCoLoss')))

train_pipeline = [
    # an unreadable view is an error: another image in its place would belong to another frame
    dict(type='LoadHandImage', strict=True),
    dict(type='MirrorLeftHand'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomViewCrop', scale=(0.83, 1.35), shift=0.23, rotation=180),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='RotateView'),
    dict(type='ChannelGain', delta=0.2),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *train_pipeline[:3],
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
dataset = dict(type='HandViewDataset', data_mode='topdown', data_prefix=dict(img=''))
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ViewGroupSampler', num_views=num_views),
    dataset=dict(dataset, ann_file='annotations/train.json', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='ViewGroupSampler', num_views=num_views, shuffle=False, round_up=False),
    dataset=dict(dataset, ann_file='annotations/val.json', test_mode=True, pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='ViewGroupSampler', num_views=num_views, shuffle=False, round_up=False),
    dataset=dict(dataset, ann_file='annotations/test.json', test_mode=True, pipeline=val_pipeline))
# of the single-view network, of the cross-view one, and of the mean of its views
val_evaluator = [
    dict(type='HandMeshMetric'),
    dict(type='HandMeshMetric', field='multi_view_keypoints_3d', prefix='cross'),
    dict(type='HandMeshMetric', field='fused_keypoints_3d', prefix='fused'),
]
test_evaluator = val_evaluator
