_base_ = ['../runtime.py']

# HTT: Adam without decay at 3e-5, halved after each 15 of 45 epochs; 2 clips a batch.
train_cfg = dict(by_epoch=True, max_epochs=45, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=3e-5))
param_scheduler = [dict(type='StepLR', step_size=15, gamma=0.5, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=2)

default_hooks = dict(checkpoint=dict(save_best='action_accuracy', rule='greater'))
