# ResNet-18 instead of ResNet-152, for small machines
_base_ = ['joint_heads_fc_synthetic.py']

model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint='torchvision://resnet18')),
    head=dict(in_channels=512 * 4 * 4))
