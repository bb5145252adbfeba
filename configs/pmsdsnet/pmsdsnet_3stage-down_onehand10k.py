# Ablation: features are fused downwards only, so nothing coarse reaches the output, and what nothing uses is not built
_base_ = ['pmsdsnet_3stage_onehand10k.py']

# Without fusion from below the output has the 8 channels of the finest scale alone.
model = dict(backbone=dict(fusion='down'), head=dict(in_channels=8))
