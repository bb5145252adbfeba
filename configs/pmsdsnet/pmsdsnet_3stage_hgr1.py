# P-MSDSNet of 3 stages on HGR1
_base_ = ['../_base_/schedules/adam_constant.py', '../_base_/datasets/hand_hgr1.py', '_base_/pmsdsnet_256.py']

num_stages = 3
alpha = 0.1
batch_size = 16

model = dict(backbone=dict(num_stages=num_stages), head=dict(alpha=alpha))
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))
