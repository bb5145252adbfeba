# Ablation: downward fusion only. No coarse features reach the output; unused parts are not built.
_base_ = ['pmsdsnet_3stage_onehand10k.py']

# Without upward fusion the output has only the 8 channels of the finest scale.
model = dict(backbone=dict(fusion='down'), head=dict(in_channels=8))
