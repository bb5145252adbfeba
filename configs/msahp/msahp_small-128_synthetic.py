# A small PoseEstimationNet at 128×128 for a CPU: half of the widths, and a standard deviation of one pixel of the 16×16
# map. On recent CPUs train with --amp (bfloat16).
_base_ = ['msahp_2stack_synthetic.py']

batch_size = 24
widths = (24, 48, 64, 128)
epochs = 5
channels_last = True
input_size = (128, 128)
codec = dict(input_size=input_size, heatmap_size=(16, 16), variance=64.0)

model = dict(
    backbone=dict(widths=widths, bottleneck=dict(embed_dims=64, num_heads=4, window=(16, 16))), head=dict(decoder=codec))
train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='CropCenterNoise', variance=8.0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomBBoxTransform', shift_prob=0, scale_factor=(0.85, 1.15), rotate_factor=30),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *_base_.val_pipeline[:-2],
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(sampler=dict(samples_per_epoch=100 * batch_size), dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=val_pipeline))

# An epoch has 100 iterations. Muon learns from few samples.
train_cfg = dict(max_epochs=epochs, val_interval=epochs)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='MuonAdamW', lr=1e-2, weight_decay=0.1, fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, by_epoch=False),  # to the end of the training
]
