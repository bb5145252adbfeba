# HTT on H2O: both hands, the left one first, 8 objects, 36 actions
_base_ = ['_base_/htt_480.py']

hands = ('left', 'right')
model = dict(head=dict(num_joints=42, num_objects=8, num_actions=36))
dataset = dict(data_root='data/h2o/', hands=hands)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
val_evaluator = [dict(type='HandPose3DMetric', hands=hands, max_distance=90), *_base_.class_metrics]
test_evaluator = val_evaluator
