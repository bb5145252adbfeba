"""A detector small enough to be built in any test: RTMDet on 64×64 pixels, with random weights."""

from pathlib import Path

import torch
from mmengine.config import Config

from handkp_plugins.apis.detection import build_detector

CONFIG = """
default_scope = 'mmdet'
classes = {classes}
model = dict(
    type='RTMDet',
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False),
    backbone=dict(
        type='CSPNeXt', arch='P5', expand_ratio=0.5, deepen_factor=0.1, widen_factor=0.0625, use_depthwise=True,
        norm_cfg=dict(type='SyncBN')),
    neck=dict(
        type='CSPNeXtPAFPN', in_channels=[16, 32, 64], out_channels=16, num_csp_blocks=1, use_depthwise=True),
    bbox_head=dict(
        type='RTMDetSepBNHead', num_classes=len(classes), in_channels=16, feat_channels=16, stacked_convs=1,
        share_conv=False, exp_on_reg=False, use_depthwise=True, pred_kernel_size=1, with_objectness=False,
        anchor_generator=dict(type='MlvlPointGenerator', offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type='DistancePointBBoxCoder'),
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0)),
    test_cfg=dict(
        nms_pre=100, min_bbox_size=0, score_thr=0.001, nms=dict(type='nms', iou_threshold=0.6), max_per_img=20))
test_dataloader = dict(dataset=dict(
    type='CocoDataset', metainfo=dict(classes=classes),
    pipeline=[
        dict(type='LoadImageFromFile'), dict(type='Resize', scale=(64, 64), keep_ratio=True),
        dict(type='Pad', size=(64, 64), pad_val=dict(img=(114, 114, 114))),
        dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]))
"""


def write_tiny_detector(folder: Path, classes: tuple[str, ...] = ('hand',)) -> tuple[Path, Path]:
    """Write ``detector.py`` and ``detector.pth`` into the folder; returns both paths."""
    config, checkpoint = folder / 'detector.py', folder / 'detector.pth'
    config.write_text(CONFIG.format(classes=classes))
    torch.manual_seed(0)
    model = build_detector(Config.fromfile(config), 'cpu')
    for layer in model.bbox_head.rtm_reg:
        torch.nn.init.constant_(layer.bias, 2)  # strides from the middle to each side of a box
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return config, checkpoint
