# P-MSDSNet of 3 stages at 128×128, a quarter of the pixels of pmsdsnet_3stage_layers-256.py, for a CPU
_base_ = ['pmsdsnet_3stage_layers-256.py']

batch_size = 32
samples_per_epoch = 16384

input_size = (128, 128)
codec = dict(input_size=input_size)
backgrounds = dict(num=1024, size=160)
# The L1 distance is in map pixels; these maps have half the resolution of 256×256.
model = dict(
    data_preprocessor=dict(backgrounds=backgrounds), head=dict(loss=dict(l1_weight=0.025), decoder=codec))
optim_wrapper = dict(optimizer=dict(lr=8e-3))
auto_scale_lr = dict(base_batch_size=batch_size)

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
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=2,
    sampler=dict(samples_per_epoch=samples_per_epoch),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(num_workers=2, dataset=dict(pipeline=val_pipeline))
