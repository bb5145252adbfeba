# The fully connected head on generated hands
_base_ = ['_base_/synthetic.py', '_base_/joint_heads_fc.py']

train_dataloader = dict(dataset=dict(pipeline=[*_base_.loading, *_base_.train_pipeline]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.loading, *_base_.val_pipeline]))
test_dataloader = dict(dataset=dict(pipeline=[*_base_.loading, *_base_.val_pipeline]))
