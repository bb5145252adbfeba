_base_ = ['../runtime.py']

# MSAHP, section 3.3: Adam, batches of 24, 30,000 iterations with a warm-up of 2,000. The schedule counts iterations; an
# epoch has 2,000 of them for any size of the data set (FixedEpochSampler).
train_cfg = dict(by_epoch=True, max_epochs=15, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=3e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, begin=0, end=2000, by_epoch=False),
    dict(type='MultiStepLR', milestones=[10000, 18000], gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(base_batch_size=24)

default_hooks = dict(checkpoint=dict(save_best='EPE', rule='less'))
