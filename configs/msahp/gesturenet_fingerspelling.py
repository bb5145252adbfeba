# GestureNet on the tables that tools/keypoint_tables.py writes, one a part, so that the set's own split stays. Left and
# right hands spell alike, and no two letters are mirror images of each other.
_base_ = ['gesturenet_keypoints.py']

num_classes = 26
dataset = dict(data_root='data/gestures/fingerspelling/')

model = dict(num_classes=num_classes, data_preprocessor=dict(mirror=0.5))
train_dataloader = dict(dataset=dict(dataset, ann_file='train.csv', part='all'))
val_dataloader = dict(dataset=dict(dataset, ann_file='val.csv', part='all'))
test_dataloader = dict(dataset=dict(dataset, ann_file='test.csv', part='all'))
