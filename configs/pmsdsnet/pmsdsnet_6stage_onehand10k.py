# P-MSDSNet of 6 stages on OneHand10K
_base_ = ['pmsdsnet_3stage_onehand10k.py']

num_stages = 6

model = dict(backbone=dict(num_stages=num_stages))
