# Ablation of the small network: no bottleneck between encoder and decoder
_base_ = ['msahp_small-128_synthetic.py']

model = dict(backbone=dict(attention=False))
