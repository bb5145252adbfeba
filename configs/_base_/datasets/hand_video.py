# Frames of videos, split by video (tools/dataset_converters/video_keypoints.py)
_base_ = ['hand_loaders.py']

dataset_type = 'HandVideoDataset'  # MMPose's inferencer reads this
data_root = 'data/hand_video/'

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))

val_evaluator = [*_base_.val_evaluator, dict(type='HeatmapPCK', alpha=0.03), dict(type='AccelerationError')]
test_evaluator = val_evaluator
