_base_ = ['../runtime.py']

# Hand keypoint transformer, section 2: Adam, batches of 20, a cosine from 1e-4 to 1e-5 that ends with the training for
# any train_cfg.max_epochs.
train_cfg = dict(by_epoch=True, max_epochs=230, val_interval=10)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=True, convert_to_iter_based=True)]
auto_scale_lr = dict(base_batch_size=20)

default_hooks = dict(checkpoint=dict(save_best='EPE', rule='less'))
