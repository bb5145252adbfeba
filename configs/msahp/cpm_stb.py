# Baseline of Table 2: MMPose's convolutional pose machine with six supervised stages
_base_ = ['msahp_2stack_stb.py']

num_stages = 6
codec = dict(logits=False)

model = dict(
    backbone=dict(
        _delete_=True, type='CPM', in_channels=3, out_channels=21, feat_channels=128, num_stages=num_stages),
    head=dict(loss=dict(_delete_=True, type='KeypointMSELoss', use_target_weight=True), decoder=codec))
train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec)),
    dict(type='PackHandInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
