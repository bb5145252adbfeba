# The lite network on hands whose backgrounds are added during training: 48 epochs of 16,384 samples, some hours on two
# recent CPU cores. Stop it at any time and continue with --resume.
_base_ = [
    '../_base_/schedules/muon_cosine_ema.py', '../_base_/datasets/hand_layers.py', '_base_/pmsdsnet_lite_128.py']

batch_size = 32
channels_last = True

model = dict(data_preprocessor={{_base_.compositor}})
auto_scale_lr = dict(base_batch_size=batch_size)
train_pipeline = [
    *_base_.augmentation,
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='GenerateTarget', encoder={{_base_.codec}}),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *_base_.loading,
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=val_pipeline))
