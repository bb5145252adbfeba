# OneHand10K: 10,000 images for training and 1,703 for testing; it has no validation set
_base_ = ['hand_loaders.py']

dataset_type = 'OneHand10KDataset'  # MMPose's inferencer reads this
data_root = 'data/onehand10k/'

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/onehand10k_train.json'))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/onehand10k_test.json'))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, ann_file='annotations/onehand10k_test.json'))
