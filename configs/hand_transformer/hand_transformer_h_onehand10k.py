# HRNet-w32 without stage 4, its branch at stride 8, and a Transformer encoder, on OneHand10K
_base_ = ['hand_transformer_r_onehand10k.py', '_base_/hrnet_w32.py']

model = _base_.at_stride_8
