# P-MSDSNet, its targets and its pipelines at 256×256. A leaf adds a schedule, a dataset and the loaders' pipelines.
codec = dict(type='GaussianHeatmap', input_size=(256, 256), variance=3.0)
supervised_scales = (0, 1, 2)

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='PMSDSNet',
        num_stages=3,
        num_keypoints=21,
        strides=(1, 2, 4, 8, 16),
        widths=(8, 8, 16, 32, 144),
        fusion_widths=(16, 16, 16, 32, 56),
        stem_widths=(8, 8, 16, 32, 48),
        fusion='cycle',
        deep_supervision=True,
        supervised_scales=supervised_scales),
    head=dict(
        type='DeepSupervisionHead',
        in_channels=24,  # widths[0] + fusion_widths[0]
        num_keypoints=21,
        num_scales=5,
        alpha=0.1,
        supervised_scales=supervised_scales,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False))

train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomBBoxTransform', scale_factor=(0.7, 1.3), rotate_factor=180),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackHandInputs'),
]
