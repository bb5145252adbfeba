# As hand_transformer_h.py, with the stride-4 branch, which needs no deconvolution: four times as many tokens.
_base_ = ['hand_transformer_h.py']

model = dict(
    backbone=dict(branch=0),
    neck=dict(in_channels=32),
    head=dict(deconv_out_channels=None, deconv_kernel_sizes=None))
