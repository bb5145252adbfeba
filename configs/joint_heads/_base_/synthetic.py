# Schedule and data: generated hands
_base_ = ['../../_base_/schedules/rmsprop_constant.py', '../../_base_/datasets/hand_synthetic.py']

loading = [dict(type='LoadHandImage')]

train_dataloader = dict(batch_size=_base_.batch_size, sampler=dict(_delete_=True, **_base_.epoch))
val_evaluator = [*_base_.val_evaluator, dict(type='PixelMSE')]
test_evaluator = val_evaluator
