_base_ = ['../runtime.py']

# P-MSDSNet, section 4.3: Adam with a constant learning rate of 5e-5. The paper gives no batch size and no epochs.
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-5))
auto_scale_lr = dict(base_batch_size=16)

default_hooks = dict(checkpoint=dict(save_best='EPE', rule='less'))
