# HRNet-w32 without stage 4, its branch at stride 8, and a Transformer encoder, on whole frames of videos
_base_ = ['hand_transformer_r_video.py', '_base_/hrnet_w32.py']

model = _base_.at_stride_8
