# Changes of hand_transformer_r.py's model. at_stride_8 replaces the ResNet-50 by the stride-8 branch of an HRNet-w32
# that ends after stage 3; at_stride_4 replaces that by the stride-4 branch, with four times as many tokens and no
# deconvolution.
at_stride_8 = dict(
    backbone=dict(
        _delete_=True,
        type='TruncatedHRNet',
        branch=1,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4, ), num_channels=(64, )),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4, 4), num_channels=(32, 64)),
            stage3=dict(
                num_modules=4, num_branches=3, block='BASIC', num_blocks=(4, 4, 4), num_channels=(32, 64, 128))),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth')),
    neck=dict(in_channels=64))
at_stride_4 = dict(
    backbone=dict(branch=0), neck=dict(in_channels=32), head=dict(deconv_out_channels=None, deconv_kernel_sizes=None))
