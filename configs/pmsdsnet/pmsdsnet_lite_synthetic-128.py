# A small P-MSDSNet at 128×128 for a CPU: two stages at strides 4 to 32, and a loss that learns fast from scratch. On
# recent CPUs train with --amp (bfloat16).
_base_ = [
    '../_base_/schedules/muon_cosine.py', '../_base_/datasets/hand_synthetic.py', '_base_/pmsdsnet_lite_128.py']

batch_size = 16
padding = 1.1  # a tight crop, because a small input has few pixels
channels_last = True

train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='RandomFlip'),
    dict(type='RandomBBoxTransform', scale_factor=(0.85, 1.15), rotate_factor=15),
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder={{_base_.codec}}),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size={{_base_.input_size}}),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
