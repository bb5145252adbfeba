"""A training of seconds: a config of a tiny network on a miniature OneHand10K, and runners on it."""

import itertools
from pathlib import Path

from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT

from handkp_plugins.cli import train_test as cli
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.runner import HandRunner

RUNTIME = ROOT / 'configs' / '_base_' / 'runtime.py'
CONFIG = """
_base_ = [{runtime!r}]
randomness = dict(seed=7)
log_level = 'WARNING'
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        type='ResNet', depth=18, stem_channels=8, base_channels=8, num_stages=1, strides=(1, ), dilations=(1, ),
        out_indices=(0, ), norm_eval=True),
    head=dict(
        type='HeatmapHead', in_channels=8, out_channels=21, deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec))
pipeline = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomBBoxTransform'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackHandInputs')]
val_pipeline = [pipeline[0], pipeline[1], pipeline[3], pipeline[5]]
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
dataset = dict(
    type='OneHand10KDataset', data_root={root!r}, data_mode='topdown', ann_file='ann.json',
    data_prefix=dict(img=''), pipeline=pipeline)
train_dataloader = dict(loader, sampler=dict(type='DefaultSampler', shuffle=True), dataset=dataset)
val_dataloader = dict(
    loader, drop_last=False, sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(dataset, test_mode=True, pipeline=val_pipeline))
test_dataloader = val_dataloader
val_evaluator = [dict(type='PCKAccuracy', thr=0.2), dict(type='EPE')]
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=2, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
param_scheduler = [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.5, end=4)]
auto_scale_lr = dict(base_batch_size=4)
default_hooks = dict(logger=dict(interval=1))
"""
_names = (f'run{i}' for i in itertools.count())


def write_tiny_training(folder: Path, num_images: int = 4) -> Path:
    """Write ``tiny_training.py`` and its data below ``folder``; returns the config's path."""
    write_mini_coco(folder / 'data', num_images)
    config = folder / 'tiny_training.py'
    config.write_text(CONFIG.format(runtime=str(RUNTIME), root=str(folder / 'data')))
    return config


def make_runner(config: Path, work_dir: Path, **options: object) -> HandRunner:
    """A runner on a config; ``a__b=1`` stands for ``--cfg-options a.b=1``."""
    cfg = load_config(config, {name.replace('__', '.'): value for name, value in options.items()})
    # Loggers and message hubs are global and known by this name, which MMEngine makes of a time in seconds.
    cfg.update(work_dir=str(work_dir), experiment_name=next(_names))
    return cli.build_runner(cfg)
