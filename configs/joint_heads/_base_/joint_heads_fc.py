# ResNet-152 and the fully connected head at 128×128, and pipelines without loading. A leaf adds a schedule, a dataset
# and the loaders' pipelines.
input_size = (128, 128)
biased = True  # the keypoints' mean is at (60, 54), as in the published crops
rotate_factor = 0  # degrees of random rotation in addition to the multiples of 90°

coordinates = dict(type='RegressionLabel', input_size=input_size)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='ResNet',
        depth=152,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152')),
    head=dict(
        type='AmpRegressionHead',
        in_channels=2048 * 4 * 4,
        num_joints=21,
        loss=dict(type='MSELoss', use_target_weight=True),
        decoder=coordinates),
    test_cfg=dict(flip_test=False))

crop = dict(type='MarginCrop', biased=biased, margin=8)
train_crop = [
    crop,
    dict(type='RandomBBoxTransform', shift_factor=0.0, scale_factor=(1.0, 1.0), rotate_factor=rotate_factor, rotate_prob=1.0),
    dict(type='TurnedTopdownAffine', input_size=input_size),
    dict(type='BrightnessSaturation', brightness_delta=25, saturation_range=(0.5, 1.5)),
]
packing = dict(type='PackHandInputs')
train_pipeline = [*train_crop, dict(type='GenerateTarget', encoder=coordinates), packing]
val_pipeline = [crop, dict(type='TopdownAffine', input_size=input_size), packing]
