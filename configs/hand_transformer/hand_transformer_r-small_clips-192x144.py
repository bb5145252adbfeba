# The small hand keypoint transformer on whole frames of generated clips (tools/make_synthetic.py --video) at 192×144
# (H×W), from scratch on a CPU; on recent CPUs train with --amp (bfloat16).
_base_ = ['hand_transformer_r-small_synthetic-128.py']

input_size = (144, 192)
max_epochs = 9
dataset = dict(data_root='data/synthetic/video/')
data_root = dataset['data_root']  # MMPose's inferencer reads this

codec = dict(input_size=input_size, heatmap_size=(36, 48))
model = dict(head=dict(decoder=codec))
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]

train_pipeline = [
    *_base_.train_frame_pipeline[:4],
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=dict(_base_.train_pipeline[-2].encoder, **codec)),
    dict(type='PackHandInputs'),
]
val_pipeline = [
    *_base_.val_frame_pipeline[:2],
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(dataset, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(dataset, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(dataset, pipeline=val_pipeline))
val_evaluator = [*_base_.val_evaluator, dict(type='HeatmapPCK', alpha=0.03), dict(type='AccelerationError')]
test_evaluator = val_evaluator
