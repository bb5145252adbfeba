# Baseline for the lite network: MMPose's ResNet-18 and deconvolutions, from scratch. Data, targets, loss, batch and
# schedule are those of the lite config.
_base_ = ['pmsdsnet_lite_synthetic-128.py']

model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18),
    head=dict(
        _delete_=True,
        type='OnDeviceHeatmapHead',
        in_channels=512,
        out_channels=21,
        deconv_out_channels=(256, 256, 256),
        deconv_kernel_sizes=(4, 4, 4),
        loss=dict(type='SoftmaxHeatmapLoss'),
        decoder={{_base_.codec}}))
