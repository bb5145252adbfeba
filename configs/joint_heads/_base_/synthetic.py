# Schedule and data of generated hands
_base_ = ['../../_base_/schedules/rmsprop_constant.py', '../../_base_/datasets/hand_synthetic.py']

loading = [dict(type='LoadHandImage')]
batch_size = 32

train_dataloader = dict(
    batch_size=batch_size,
    sampler=dict(_delete_=True, type='FixedEpochSampler', samples_per_epoch=2000 * batch_size))
val_evaluator = [*_base_.val_evaluator, dict(type='PixelMSE')]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='MSE'))
