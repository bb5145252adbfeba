# HTT on FPHA: the right hand, 26 objects, 45 actions. The set has nothing to validate on but its test part.
_base_ = ['_base_/htt_480.py']

hands = ('right', )
model = dict(head=dict(num_joints=21, num_objects=26, num_actions=45))
dataset = dict(data_root='data/fpha/', hands=hands)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dict(dataset, ann_file='annotations/test.json'))
test_dataloader = dict(dataset=dataset)
val_evaluator = [dict(type='HandPose3DMetric', hands=hands, max_distance=80), *_base_.class_metrics]
test_evaluator = val_evaluator
