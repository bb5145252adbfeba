# Baseline for the lite network: MMPose's ResNet-18 and deconvolutions, from scratch, with the data, targets, loss and
# batch size of the lite config. It trains for about the same time on a CPU, so it has fewer epochs. It uses AdamW,
# because for convolutions this wide a step of Muon costs more than the rest of the iteration.
_base_ = ['pmsdsnet_lite_synthetic-128.py']

max_epochs = 7
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]

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
