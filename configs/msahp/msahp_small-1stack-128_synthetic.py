# Ablation of the small network: a single encoder-decoder
_base_ = ['msahp_small-128_synthetic.py']

model = dict(backbone=dict(num_stacks=1))
