# ResNet-50 cut after layer2, and a Transformer encoder, on OneHand10K
_base_ = [
    '../_base_/schedules/adam_cosine.py', '../_base_/datasets/hand_onehand10k.py', '_base_/hand_transformer_r.py']

num_layers = 4
batch_size = 20

model = dict(neck=dict(num_layers=num_layers))
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))
val_evaluator = [*_base_.val_evaluator, dict(type='HeatmapPCK', alpha=0.03)]
test_evaluator = val_evaluator
