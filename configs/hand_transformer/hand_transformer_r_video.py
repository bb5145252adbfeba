# ResNet-50 cut after layer2, and a Transformer encoder, on whole frames of videos
_base_ = [
    '../_base_/schedules/adam_cosine.py', '../_base_/datasets/hand_video.py', '_base_/hand_transformer_r.py']

num_layers = 4
batch_size = 20

model = dict(neck=dict(num_layers=num_layers))
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline={{_base_.train_frame_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.val_frame_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.val_frame_pipeline}}))
