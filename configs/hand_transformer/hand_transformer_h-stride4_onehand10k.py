# HRNet-w32 without stage 4, its branch at stride 4, and a Transformer encoder, on OneHand10K
_base_ = ['hand_transformer_h_onehand10k.py']

model = _base_.at_stride_4
