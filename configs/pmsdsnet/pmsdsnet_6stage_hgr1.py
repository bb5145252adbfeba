# P-MSDSNet of 6 stages on HGR1
_base_ = ['pmsdsnet_3stage_hgr1.py']

num_stages = 6

model = dict(backbone=dict(num_stages=num_stages))
