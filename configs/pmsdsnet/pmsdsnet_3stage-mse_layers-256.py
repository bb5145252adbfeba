# Ablation: the paper's loss, mean squared error of the maps
_base_ = ['pmsdsnet_3stage_layers-256.py']

codec = dict(logits=False, window=None)
model = dict(head=dict(loss=dict(_delete_=True, type='KeypointMSELoss', use_target_weight=True), decoder=codec))
train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
