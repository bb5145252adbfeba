# P-MSDSNet of 3 stages at 80×80, for a CPU. A sample costs 0.4 of one at 128×128; for the first some 100,000 samples,
# more samples are worth more than more pixels. The shipped pmsdsnet_3stage weights come from this config; continue with
# pmsdsnet_3stage_layers-128.py and load_from.
_base_ = ['pmsdsnet_3stage_layers-128.py']

input_size = (80, 80)
codec = dict(input_size=input_size)
model = dict(head=dict(decoder=codec))

train_pipeline = [
    *_base_.augmentation,
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='GenerateTarget', encoder=dict(_base_.train_pipeline[-2].encoder, **codec)),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *_base_.loading,
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=val_pipeline))
