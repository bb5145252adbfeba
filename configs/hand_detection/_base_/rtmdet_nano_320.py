# The network of MMPose's hand detector (demo/mmdetection_cfg/rtmdet_nano_320-8xb32_hand.py), whose weights can be
# loaded.
_base_ = ['hand_boxes.py']

channels_last = True
input_size = (320, 320)
grey = dict(img=(114, 114, 114))

model = dict(
    type='RTMDet',
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False),
    backbone=dict(
        type='CSPNeXt', arch='P5', expand_ratio=0.5, deepen_factor=0.33, widen_factor=0.25, channel_attention=True,
        use_depthwise=True, norm_cfg=dict(type='BN'), act_cfg=dict(type='SiLU', inplace=True)),
    neck=dict(
        type='CSPNeXtPAFPN', in_channels=[64, 128, 256], out_channels=64, num_csp_blocks=1, expand_ratio=0.5,
        use_depthwise=True, norm_cfg=dict(type='BN'), act_cfg=dict(type='SiLU', inplace=True)),
    bbox_head=dict(
        type='RTMDetSepBNHead', num_classes=1, in_channels=64, feat_channels=64, stacked_convs=2, share_conv=False,
        exp_on_reg=False, use_depthwise=True, with_objectness=False, pred_kernel_size=1,
        anchor_generator=dict(type='MlvlPointGenerator', offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type='DistancePointBBoxCoder'),
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0),
        norm_cfg=dict(type='BN'), act_cfg=dict(type='SiLU', inplace=True)),
    train_cfg=dict(
        assigner=dict(type='DynamicSoftLabelAssigner', topk=13), allowed_border=-1, pos_weight=-1, debug=False),
    test_cfg=dict(  # NMS at an IoU of 0.5: the best of five on validation scenes; RTMDet has 0.6
        nms_pre=1000, min_bbox_size=0, score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=100))

train_pipeline = [
    dict(type='mmpose.LoadHandImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='CachedMosaic', img_scale=input_size, pad_val=114.0, max_cached_images=20, random_pop=False, prob=0.2),
    dict(type='RandomResize', scale=input_size, ratio_range=(0.7, 1.3), keep_ratio=True),
    dict(type='RandomCrop', crop_size=input_size, allow_negative_crop=True),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(8, 8), keep_empty=False),  # smaller hands look like clutter
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='Pad', size=input_size, pad_val=grey),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'unreadable_images'))]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=input_size, keep_ratio=True),
    dict(type='Pad', size=input_size, pad_val=grey),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

# A short training from scratch: a warm-up of one epoch, then a cosine to 0 that ends with the training.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=4)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='mmpose.MuonAdamW', lr=8e-3, weight_decay=0.1, pointwise=True),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, by_epoch=True, convert_to_iter_based=True)]
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(
    ema=dict(type='EMAHook', ema_type='MomentumAnnealingEMA', gamma=10, momentum=2e-4, update_buffers=True))
