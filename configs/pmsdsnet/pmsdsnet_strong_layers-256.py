# A large P-MSDSNet at 256×256 for a GPU: four stages at strides 2 to 32, with maps at stride 2
_base_ = ['pmsdsnet_3stage_layers-256.py']

num_stages = 4
strides = (2, 4, 8, 16, 32)
max_epochs = 80

# The standard deviation is one pixel of the finest map, stride 2.
codec = dict(heatmap_size=(128, 128), variance=4.0, window=6)
model = dict(
    backbone=dict(
        num_stages=num_stages,
        strides=strides,
        widths=(32, 64, 96, 128, 192),
        fusion_widths=(32, 32, 48, 64, 96),
        stem_widths=(32, 64, 64, 64, 64)),
    head=dict(in_channels=64, loss=dict(l1_weight=0.025), decoder=codec))
train_cfg = dict(max_epochs=max_epochs)
train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(type='GenerateTarget', encoder=dict(_base_.train_pipeline[-2].encoder, **codec)),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
