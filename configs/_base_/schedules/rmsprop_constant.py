_base_ = ['../runtime.py']

# Joint heads, section 4: RMSProp until convergence, about 120,000 iterations of 32 images. An epoch has 2,000 of them
# for any size of the data set (FixedEpochSampler).
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='RMSprop', lr=1e-4))
batch_size = 32
epoch = dict(type='FixedEpochSampler', samples_per_epoch=2000 * batch_size)
auto_scale_lr = dict(base_batch_size=batch_size)

default_hooks = dict(checkpoint=dict(save_best='MSE', rule='less'))
