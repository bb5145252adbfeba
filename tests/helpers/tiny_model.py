"""A network of 21 keypoints that is built and run in milliseconds: a config file and a checkpoint of random weights."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models.builder import build_pose_estimator

CONFIG = """
default_scope = 'mmpose'
custom_imports = dict(imports=['handkp_plugins'])
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(type='MobileNetV2', widen_factor=0.1, out_indices=(2, )),
    head=dict(
        type='HeatmapHead', in_channels=8, out_channels=21, deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec))
train_dataloader = dict(dataset=dict(type='SyntheticHandDataset'))
test_dataloader = dict(dataset=dict(
    type='SyntheticHandDataset',
    pipeline=[
        dict(type='LoadImage'), dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=codec['input_size']), dict(type='PackPoseInputs')]))
"""


def write_tiny_model(folder: Path) -> tuple[Path, Path]:
    """Write ``tiny.py`` and ``tiny.pth`` into the folder; returns both paths."""
    config, checkpoint = folder / 'tiny.py', folder / 'tiny.pth'
    config.write_text(CONFIG)
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_pose_estimator(Config.fromfile(config).model)
    model.init_weights()
    torch.nn.init.normal_(model.head.final_layer.weight)
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return config, checkpoint
