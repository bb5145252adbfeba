# Ablation: no maps between stages, so no attention and no auxiliary loss
_base_ = ['pmsdsnet_3stage_onehand10k.py']

model = dict(backbone=dict(deep_supervision=False))
