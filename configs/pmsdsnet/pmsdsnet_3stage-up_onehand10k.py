# Ablation: upward fusion only
_base_ = ['pmsdsnet_3stage_onehand10k.py']

model = dict(backbone=dict(fusion='up'))
