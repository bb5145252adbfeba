# A small hand keypoint transformer at 128×128 for a CPU: ResNet-18 cut after layer2, two narrow layers, and a loss and
# an optimizer that learn fast from scratch. On recent CPUs train with --amp (bfloat16).
_base_ = ['../_base_/schedules/muon_cosine.py', '../_base_/datasets/hand_synthetic.py', '_base_/hand_transformer_r.py']

num_layers = 2
embed_dims = 128
input_size = (128, 128)
batch_size = 16
padding = 1.1
channels_last = True

codec = dict(
    type='GaussianHeatmap', input_size=input_size, heatmap_size=(32, 32), variance=16.0, logits=True, window=6)
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1, )),
    neck=dict(
        in_channels=128,
        embed_dims=embed_dims,
        num_layers=num_layers,
        num_heads=4,
        feedforward_channels=2 * embed_dims,
        attention_dropout=0.0),  # a CPU has no fast float32 kernel with dropout
    head=dict(
        in_channels=embed_dims,
        deconv_out_channels=(embed_dims, ),
        loss=dict(_delete_=True, type='SoftmaxHeatmapLoss'),
        decoder=dict(_delete_=True, **codec)))
# Muon's learning rate is too high for AdamW in a Transformer.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'neck.layers': dict(lr_mult=0.1)}))

train_pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='RandomFlip'),
    dict(type='RandomBBoxTransform', scale_factor=(0.85, 1.15), rotate_factor=15),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=val_pipeline))
