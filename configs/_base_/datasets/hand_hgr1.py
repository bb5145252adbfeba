# HGR1: 899 images, split 8:1:1
_base_ = ['hand_loaders.py']

dataset_type = 'HGR1Dataset'  # MMPose's inferencer reads this
data_root = 'data/hgr1/'

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
