# Loaders and evaluators of hand boxes in COCO format, one class. Images without a hand are trained on, too.
_base_ = ['runtime.py']

data_root = 'data/synthetic/scenes/'
metainfo = dict(classes=('hand', ), palette=[(0, 200, 120)])

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmdet.CocoDataset', metainfo=metainfo, data_root=data_root, ann_file='annotations/train.json',
        data_prefix=dict(img=''), filter_cfg=dict(filter_empty_gt=False)))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mmdet.CocoDataset', metainfo=metainfo, data_root=data_root, ann_file='annotations/val.json',
        data_prefix=dict(img=''), test_mode=True))
test_dataloader = dict(val_dataloader, dataset=dict(val_dataloader['dataset'], ann_file='annotations/test.json'))

val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/val.json', metric='bbox')
test_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/test.json', metric='bbox')
val_cfg = dict()
test_cfg = dict()
