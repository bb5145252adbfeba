# HRNet-w32 without stage 4, its branch at stride 4, and a Transformer encoder, on rendered hands
_base_ = ['hand_transformer_h_synthetic.py']

model = _base_.at_stride_4
