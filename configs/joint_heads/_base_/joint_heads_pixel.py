# Pixel-wise classification: the encoder up to its third block, with stride 16. strides=(1, 2, 1) and dilations=(1, 1,
# 2) give stride 8.
_base_ = ['joint_heads_fc.py']

disk = dict(type='DiskMap', input_size=_base_.input_size, radius=16)
model = dict(
    backbone=dict(num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(2, )),
    head=dict(
        _delete_=True,
        type='UpsampledMapHead',
        in_channels=1024,
        out_channels=21,
        kernel_size=5,
        loss=dict(type='MapBCELoss'),
        decoder=disk))
train_pipeline = [*_base_.train_crop, dict(type='GenerateTarget', encoder=disk), _base_.packing]
