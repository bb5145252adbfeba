# Stereo Hand Pose Tracking Benchmark, split by sequence (tools/dataset_converters/stb.py)
_base_ = ['hand_loaders.py']

dataset_type = 'STBDataset'  # MMPose's inferencer reads this
data_root = 'data/stb/'

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/test.json'))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
