# Baseline for the small transformer on clips: MMPose's ResNet-18 and deconvolutions, each frame by itself as well.
_base_ = ['hand_transformer_r-small_clips-192x144.py']

optim_wrapper = dict(_delete_=True, optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))

model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18),
    neck=None,
    head=dict(
        in_channels=512, deconv_out_channels=(256, 256, 256), deconv_kernel_sizes=(4, 4, 4)))
