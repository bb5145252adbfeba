# ResNet-50 cut after layer2, the Transformer encoder, one deconvolution; its targets and pipelines at 256×192 (H×W). A
# leaf adds a schedule, a dataset, and the pipelines for a hand's box or for the whole frame.

# Decodes by argmax; refinement='centroid' finds positions between pixels. The standard deviation is 2 pixels of the
# map.
codec = dict(
    type='GaussianHeatmap', input_size=(192, 256), heatmap_size=(48, 64), variance=64.0, refinement='none')

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1, ),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    neck=dict(
        type='TransformerNeck',
        in_channels=512,
        embed_dims=256,
        num_layers=4,
        num_heads=8,
        feedforward_channels=1024,
        position='sine'),
    head=dict(
        type='OnDeviceHeatmapHead',
        in_channels=256,
        out_channels=21,
        deconv_out_channels=(256, ),
        deconv_kernel_sizes=(4, ),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(flip_test=False))

to_input = [
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackHandInputs'),
]
to_targets = [
    to_input[0],
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=codec),
    to_input[1],
]
train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip'),
    dict(type='RandomBBoxTransform', scale_factor=(0.7, 1.3), rotate_factor=180),
    *to_targets,
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=1.25),
    *to_input,
]
train_frame_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='WholeImageCenterScale'),
    dict(type='RandomFlip'),
    dict(type='RandomBBoxTransform', shift_factor=0.05, scale_factor=(0.9, 1.1), rotate_factor=15),
    *to_targets,
]
val_frame_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='WholeImageCenterScale'),
    *to_input,
]
