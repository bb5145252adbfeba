# CMU Panoptic hands in MMPose's split, which has no validation set
_base_ = ['hand_loaders.py']

dataset_type = 'PanopticHand2DDataset'  # MMPose's inferencer reads this
data_root = 'data/panoptic/'

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/panoptic_train.json'))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/panoptic_test.json'))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/panoptic_test.json'))
