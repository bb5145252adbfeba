# Ablation: a single encoder-decoder
_base_ = ['msahp_2stack_synthetic.py']

num_stacks = 1

model = dict(backbone=dict(num_stacks=num_stacks))
