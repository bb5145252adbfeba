# Photographs of hands and images without hands (tools/dataset_converters/real_hands.py), mixed with generated scenes.
_base_ = ['rtmdet_nano_320_scenes.py']

photographs, scenes = 'data/real_hands/', 'data/synthetic/scenes/'
load_from = 'handkp://hand_detector_scenes'
max_epochs, plain_epochs = 12, 2  # the last ones without mosaics, as RTMDet ends its trainings
repeat_negatives = 4
learning_rate = 4e-3
input_size = (320, 320)

load = [dict(type='mmpose.LoadHandImage'), dict(type='LoadAnnotations', with_bbox=True)]
finish = [
    dict(type='FilterAnnotations', min_gt_bbox_wh=(8, 8), keep_empty=False),
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomFlip', prob=0.5)]
pack = dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'unreadable_images'))
pipeline = [
    *load,
    dict(type='CachedMosaic', img_scale=input_size, pad_val=114.0, max_cached_images=20, random_pop=False, prob=0.3),
    dict(type='RandomResize', scale=input_size, ratio_range=(0.5, 1.6), keep_ratio=True),
    dict(type='RandomCrop', crop_size=input_size, allow_negative_crop=True),
    *finish,
    dict(type='Pad', size=input_size, pad_val=dict(img=(114, 114, 114))),
    pack]
plain_pipeline = [
    *load,
    dict(type='RandomResize', scale=input_size, ratio_range=(0.5, 1.2), keep_ratio=True),
    dict(type='RandomCrop', crop_size=input_size, allow_negative_crop=True),
    *finish,
    dict(type='Pad', size=input_size, pad_val=dict(img=(114, 114, 114))),
    pack]
part = dict(
    type='mmdet.CocoDataset', metainfo=_base_.metainfo, data_root=photographs, data_prefix=dict(img='images/'),
    filter_cfg=dict(filter_empty_gt=False), pipeline=pipeline)

train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=[
    dict(part, ann_file='annotations/boxes_train.json'),
    dict(type='RepeatDataset', times=repeat_negatives, dataset=dict(part, ann_file='annotations/negatives_train.json')),
    dict(part, data_root=scenes, ann_file='annotations/train.json', data_prefix=dict(img=''))]))
val_dataloader = dict(dataset=dict(
    data_root=photographs, ann_file='annotations/boxes_val.json', data_prefix=dict(img='images/')))
test_dataloader = dict(dataset=dict(
    data_root=photographs, ann_file='annotations/boxes_test.json', data_prefix=dict(img='images/')))
errors = dict(type='mmpose.HandBoxErrors')
val_evaluator = [dict(_base_.val_evaluator, ann_file=photographs + 'annotations/boxes_val.json'), errors]
test_evaluator = [dict(_base_.test_evaluator, ann_file=photographs + 'annotations/boxes_test.json'), errors]

train_cfg = dict(max_epochs=max_epochs, val_interval=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, begin=0, end=200, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, by_epoch=True, convert_to_iter_based=True)]
optim_wrapper = dict(optimizer=dict(lr=learning_rate))
custom_hooks = [dict(type='PipelineSwitchHook', switch_epoch=max_epochs - plain_epochs, switch_pipeline=plain_pipeline)]
