_base_ = ['muon_cosine.py']

# A long training in mixed precision. Its length is train_cfg.max_epochs; the cosine ends with it. Each epoch writes a
# checkpoint for --resume.
train_cfg = dict(max_epochs=48, val_interval=4)
optim_wrapper = dict(type='HandAmpOptimWrapper', optimizer=dict(lr=8e-3, weight_decay=0.1))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, by_epoch=True, convert_to_iter_based=True),
]

# Validation and a checkpoint's state_dict use averaged weights. The average covers the last tenth of the steps so far,
# but at most 5,000, which suits short and long trainings.
default_hooks = dict(
    ema=dict(type='EMAHook', ema_type='MomentumAnnealingEMA', gamma=10, momentum=2e-4, update_buffers=True))
