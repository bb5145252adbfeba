# GestureNet on the tables of tools/keypoint_tables.py, one per split, so that the data set keeps its own split. Left
# and right hands spell alike, and no letter is the mirror image of another.
_base_ = ['gesturenet_keypoints.py']

num_classes = 26
dataset = dict(data_root='data/gestures/fingerspelling/')

model = dict(num_classes=num_classes, data_preprocessor=dict(mirror=0.5))
train_dataloader = dict(dataset=dict(dataset, ann_file='train.csv', part='all'))
val_dataloader = dict(dataset=dict(dataset, ann_file='val.csv', part='all'))
test_dataloader = dict(dataset=dict(dataset, ann_file='test.csv', part='all'))
