# A small HaMuCo on generated views, 4 cameras, from nothing. Views teach each other from the fifth epoch on, when each
# of them has learnt something.
_base_ = ['_base_/hamuco_256.py']

max_epochs, num_views, batch_size, width = 12, 4, 64, 32
input_size = (128, 128)

codec = dict(type='WeakPerspectiveLabel', input_size=input_size)
kaiming = [dict(type='Kaiming', layer=['Conv2d']), dict(type='Constant', val=1, layer=['_BatchNorm'])]
model = dict(
    backbone=dict(stem_channels=width, base_channels=width, init_cfg=kaiming),
    head=dict(in_channels=(width, 2 * width, 4 * width, 8 * width), input_size=input_size, teach_from=4))
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
auto_scale_lr = dict(base_batch_size=batch_size)

affine = dict(type='TopdownAffine', input_size=input_size)
box = dict(type='GetBBoxCenterScale', padding=1.25)  # boxes fit the hand
train_pipeline = [
    *_base_.train_pipeline[:2],
    box,
    dict(type='RandomViewCrop', scale=(0.9, 1.2), shift=0.1, rotation=180),
    affine,
    *_base_.train_pipeline[5:7],
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [*_base_.val_pipeline[:2], box, affine, _base_.val_pipeline[4]]
dataset = dict(data_root='data/synthetic/views/')
sampler = dict(num_views=num_views)
train_dataloader = dict(
    batch_size=batch_size, num_workers=1, sampler=sampler, dataset=dict(dataset, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=batch_size, num_workers=1, sampler=sampler, dataset=dict(dataset, pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=batch_size, num_workers=1, sampler=sampler, dataset=dict(dataset, pipeline=val_pipeline))
