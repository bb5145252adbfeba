# Ablation: weight of the auxiliary losses (the paper's table 4)
_base_ = ['pmsdsnet_3stage_onehand10k.py']

alpha = 1

model = dict(head=dict(alpha=alpha))
