# P-MSDSNet of 3 stages on the paper's CMU Panoptic set, 7,715 rendered hands split 8:1:1, with the paper's best alpha
_base_ = ['../_base_/schedules/adam_constant.py', '../_base_/datasets/hand_panoptic.py', '_base_/pmsdsnet_256.py']

num_stages = 3
alpha = 0.5
batch_size = 16

model = dict(backbone=dict(num_stages=num_stages), head=dict(alpha=alpha))
train_dataloader = dict(
    batch_size=batch_size, dataset=dict(ann_file='annotations/synth_train.json', pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(ann_file='annotations/synth_val.json', pipeline={{_base_.val_pipeline}}))
test_dataloader = dict(dataset=dict(ann_file='annotations/synth_test.json', pipeline={{_base_.val_pipeline}}))
