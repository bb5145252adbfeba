# A small HTT on generated actions, 96×72 (W×H), 15 frames a second, 4 objects and 24 actions, for one core of a CPU in
# float32. It goes on from htt_small-frames, by load_from; from nothing, so batch norms are trained.
_base_ = ['_base_/htt_480.py']

window, clip_length = 8, 32  # t, T
starts = 8  # training clips start at so many frames in turn, whatever t is: runs of any t see the same clips
max_epochs, batch_size, width = 2, 4, 16
input_size, spacing = (96, 72), 1

codec = dict(type='PixelDepthLabel', input_size=input_size)
model = dict(
    backbone=dict(
        stem_channels=width,
        base_channels=width,
        norm_eval=False,
        init_cfg=[dict(type='Kaiming', layer=['Conv2d']), dict(type='Constant', val=1, layer=['_BatchNorm'])]),
    head=dict(
        num_joints=21, num_objects=4, num_actions=24, embed_dims=8 * width, window=window, num_heads=4,
        feedforward_channels=16 * width, decoder=codec))
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=100, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=batch_size)

resize = dict(type='ResizeClip', size=input_size)
# without ClipColorJitter: generated people, tables and light differ enough, and it takes a quarter of the time
train_pipeline = [
    _base_.train_pipeline[0],
    resize,
    dict(type='ShiftClip', max_shift=9.6),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs'),
]
val_pipeline = [_base_.val_pipeline[0], resize, _base_.val_pipeline[2]]
dataset = dict(data_root='data/synthetic/actions/', hands=('right', ), clip_length=clip_length, window=starts, spacing=spacing)
train_dataloader = dict(batch_size=batch_size, num_workers=1, dataset=dict(dataset, pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size, num_workers=1, dataset=dict(dataset, pipeline=val_pipeline))
test_dataloader = dict(batch_size=batch_size, num_workers=1, dataset=dict(dataset, pipeline=val_pipeline))
val_evaluator = [dict(type='HandPose3DMetric', max_distance=80, occlusion=True), *_base_.class_metrics]
test_evaluator = val_evaluator
