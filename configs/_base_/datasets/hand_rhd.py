# Rendered Handpose Dataset (tools/dataset_converters/rhd.py): 480 hands of its training set are the validation set. The
# files order a finger's keypoints from tip to root: pipelines start with `loading`, which converts them to our order,
# that of OneHand10K, which metainfo names.
_base_ = ['hand_loaders.py']

dataset_type = 'Rhd2DDataset'  # MMPose's inferencer reads this
data_root = 'data/rhd/'
metainfo = dict(from_file='configs/_base_/datasets/onehand10k.py')  # MMPose's file

loading = [
    dict(type='LoadHandImage'),
    dict(
        type='KeypointConverter',
        num_keypoints=21,
        mapping=[(0, 0), *((4 * finger + i, 4 * finger + 5 - i) for finger in range(5) for i in (1, 2, 3, 4))]),
]

train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, metainfo=metainfo))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, metainfo=metainfo))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root, metainfo=metainfo))
