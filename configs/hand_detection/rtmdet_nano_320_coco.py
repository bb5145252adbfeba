# Your own boxes in COCO format. If your only category is not called hand, change `classes` in metainfo.
_base_ = ['rtmdet_nano_320_scenes.py']

data_root = 'data/my_hands/'
train_ann, val_ann, test_ann = 'annotations/train.json', 'annotations/val.json', 'annotations/test.json'
images = 'images/'  # folder of the annotations' file names, below data_root
max_epochs = 100
load_from = None  # 'handkp://hand_detector' starts from the shipped weights
metainfo = dict(classes=('hand', ), palette=[(0, 200, 120)])

train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file=train_ann, data_prefix=dict(img=images), metainfo=metainfo))
val_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file=val_ann, data_prefix=dict(img=images), metainfo=metainfo))
test_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file=test_ann, data_prefix=dict(img=images), metainfo=metainfo))
val_evaluator = dict(ann_file=data_root + val_ann)
test_evaluator = dict(ann_file=data_root + test_ann)
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
