# P-MSDSNet of 6 stages on the paper's CMU Panoptic set
_base_ = ['pmsdsnet_3stage_panoptic.py']

num_stages = 6

model = dict(backbone=dict(num_stages=num_stages))
