# Ablation: no bottleneck between encoder and decoder
_base_ = ['msahp_2stack_synthetic.py']

attention = False

model = dict(backbone=dict(attention=attention))
