# Score maps: the same head, but its outputs are the maps and the targets are Gaussians
_base_ = ['joint_heads_pixel.py']

gaussian = dict(type='ExpectationHeatmap', input_size=_base_.input_size, variance=100.0)
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='KeypointMSELoss', use_target_weight=True),
        decoder=dict(_delete_=True, **gaussian)))
train_pipeline = [*_base_.train_crop, dict(type='GenerateTarget', encoder=gaussian), _base_.packing]
