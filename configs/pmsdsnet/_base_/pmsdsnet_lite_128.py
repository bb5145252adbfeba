# A small P-MSDSNet at 128×128 for a CPU: two stages at strides 4 to 32, and a loss that learns fast from scratch. A
# leaf adds a schedule, a dataset and pipelines.
input_size = (128, 128)
num_stages = 2
strides = (4, 8, 16, 32)

# The standard deviation is one pixel of the finest map, stride 4.
codec = dict(
    type='GaussianHeatmap', input_size=input_size, heatmap_size=(32, 32), variance=16.0, logits=True, window=6)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='PMSDSNet',
        num_stages=num_stages,
        strides=strides,
        widths=(32, 64, 96, 128),
        fusion_widths=(16, 32, 48, 64),
        stem_widths=(32, 64, 32, 32),
        supervised_scales=(0, 1)),
    head=dict(
        type='DeepSupervisionHead',
        in_channels=48,
        num_keypoints=21,
        num_scales=len(strides),
        alpha=0.1,
        supervised_scales=(0, 1),
        loss=dict(type='SoftmaxHeatmapLoss'),
        decoder=codec),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False))
