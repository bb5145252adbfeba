# P-MSDSNet of 6 stages on rendered hands
_base_ = ['pmsdsnet_3stage_synthetic.py']

num_stages = 6

model = dict(backbone=dict(num_stages=num_stages))
