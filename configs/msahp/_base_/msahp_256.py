# PoseEstimationNet, its targets and its pipelines at 256×256. A leaf adds a schedule, a dataset and the loaders'
# pipelines.
num_stacks = 2
attention = True
input_size = (256, 256)

# The standard deviation is 2 pixels of the map; README.md discusses the paper's "variance of 30 pixels".
codec = dict(type='GaussianHeatmap', input_size=input_size, heatmap_size=(32, 32), variance=256.0, logits=True)

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(type='PoseEstimationNet', num_stacks=num_stacks, attention=attention),
    head=dict(type='StackedMapHead', loss=dict(type='CEL2Loss', alpha=0.7), decoder=codec),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False))

train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='CropCenterNoise', variance=8.0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
