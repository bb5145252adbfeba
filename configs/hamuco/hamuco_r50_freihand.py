_base_ = ['hamuco_r18_freihand.py']

model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint='torchvision://resnet50')),
    head=dict(in_channels=(256, 512, 1024, 2048)))
