# Baseline for the small transformer on clips, also frame by frame: ResNet-18 to stride 16 and deconvolutions. It trains
# for about the same time on a CPU, so it has fewer epochs.
_base_ = ['hand_transformer_r-small_clips-192x144.py']

max_epochs = 6
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
optim_wrapper = dict(_delete_=True, optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))

# ResNet's stride of 32 does not divide 144 pixels.
model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18, strides=(1, 2, 2, 1)),
    neck=None,
    head=dict(in_channels=512, deconv_out_channels=(256, 256), deconv_kernel_sizes=(4, 4)))
