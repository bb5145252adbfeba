# P-MSDSNet of 3 stages at 256×256 on hands whose backgrounds are added during training, with the softmax loss, for a
# GPU. pmsdsnet_3stage-mse_layers-256.py has the paper's loss.
_base_ = ['../_base_/schedules/muon_cosine_ema.py', '../_base_/datasets/hand_layers.py', '_base_/pmsdsnet_256.py']

batch_size = 64
samples_per_epoch = 65536
channels_last = True

input_size = (256, 256)
codec = dict(logits=True, window=8)
# The L1 distance is in map pixels; these maps have eight times the resolution of the lite network's.
model = dict(
    data_preprocessor=dict(_base_.compositor, backgrounds=dict(_base_.compositor.backgrounds, num=768, size=256)),
    head=dict(loss=dict(_delete_=True, type='SoftmaxHeatmapLoss', l1_weight=0.0125), decoder=codec))
optim_wrapper = dict(optimizer=dict(lr=2e-3))
auto_scale_lr = dict(base_batch_size=batch_size)

train_pipeline = [
    *_base_.augmentation,
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *_base_.loading,
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=8,
    sampler=dict(samples_per_epoch=samples_per_epoch),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(pipeline=val_pipeline))
