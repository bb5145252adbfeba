_base_ = ['../runtime.py']

# HaMuCo's code: AdamW at 3e-4, which falls to 0 by a cosine over 50 epochs; batches of 8 frames with 8 views.
train_cfg = dict(by_epoch=True, max_epochs=50, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-4, weight_decay=0.01))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True)]
auto_scale_lr = dict(base_batch_size=64)

default_hooks = dict(checkpoint=dict(save_best='PA-MPJPE', rule='less'))
