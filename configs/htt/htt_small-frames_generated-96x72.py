# The first stage of the small HTT: single frames of many videos in a batch, about six minutes on one core. Clips of few
# videos, whose frames are alike, teach a network from scratch next to nothing in the time.
_base_ = ['htt_small_generated-96x72.py']

max_epochs, batch_size, clip_length, window = 5, 64, 1, 1
model = dict(head=dict(window=window))
frames = dict(clip_length=clip_length, window=window)
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=100, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=batch_size)
train_dataloader = dict(batch_size=batch_size, dataset=frames)
val_dataloader = dict(batch_size=batch_size, dataset=frames)
test_dataloader = dict(batch_size=batch_size, dataset=frames)
