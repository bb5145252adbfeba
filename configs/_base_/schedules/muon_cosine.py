_base_ = ['../runtime.py']

# A short training from scratch: Muon for the convolutions, a warm-up of one epoch, then a cosine to 0. The weight decay
# is strong because a few hands are seen many times. When max_epochs changes, the end of the cosine must change, too.
train_cfg = dict(by_epoch=True, max_epochs=15, val_interval=8)
optim_wrapper = dict(optimizer=dict(type='MuonAdamW', lr=1e-2, weight_decay=0.3, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=15, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=16)

default_hooks = dict(checkpoint=dict(save_best='EPE', rule='less'))
