# Loaders and evaluators of all hand data sets. A data set adds its class, folder and annotation files; a system adds
# the pipelines, which depend on its network.
data_mode = 'topdown'  # MMPose's inferencer reads this

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data_mode=data_mode, ann_file='annotations/train.json', data_prefix=dict(img='')))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(data_mode=data_mode, ann_file='annotations/val.json', data_prefix=dict(img=''), test_mode=True))
test_dataloader = dict(val_dataloader, dataset=dict(val_dataloader['dataset'], ann_file='annotations/test.json'))

val_evaluator = [
    dict(type='PCKAccuracy', thr=0.2),
    dict(type='AUC'),
    dict(type='EPE'),
    dict(type='PixelPCK', thresholds=(5, 10, 20)),
    dict(type='MPJPEAtThreshold', thresholds=(5, 10, 20)),
]
test_evaluator = val_evaluator
