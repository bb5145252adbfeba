"""All leaf configs, found in the folders, and keypoint networks made small enough to train a step in a test."""

from functools import cache
from pathlib import Path
from unittest.mock import patch

import torch
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from mmpose.registry import MODELS
from torch import nn

LEAVES = sorted(path for path in CONFIGS.glob('*/*.py') if path.parent.name != '_base_')
_get_cfg_path = cache(Config._get_cfg_path)  # reads 150 files of MMPose to find its default runtime


@cache
def load_leaf(path: Path) -> Config:
    """Load a leaf that the test does not change."""
    with patch.object(Config, '_get_cfg_path', _get_cfg_path):
        return Config.fromfile(path)


def build(cfg: Config) -> nn.Module:
    """Build the model of a config."""
    init_default_scope('mmpose')
    MMLogger.get_current_instance().setLevel('ERROR')
    return build_pose_estimator(cfg.model)


def shrink(cfg: Config) -> None:
    """Make the images of a keypoint network's config small and its network narrow, and drop pretrained weights."""
    codec, head = cfg.model.head.decoder, cfg.model.head
    w, h = codec.input_size
    factor = max(f for f in range(1, min(w, h) // 32 + 1) if w % (16 * f) == h % (16 * f) == 0)
    sizes = {key: tuple(n // factor for n in codec[key]) for key in ('input_size', 'heatmap_size') if codec.get(key)}
    codec.update(sizes)
    for step in (step for split in ('train', 'val', 'test') for step in cfg[f'{split}_dataloader'].dataset.pipeline):
        if step.type.endswith('TopdownAffine'):
            step.input_size = sizes['input_size']
        elif step.type == 'GenerateTarget':
            step.encoder.update(sizes)
    if head.type == 'AmpRegressionHead':  # a fully connected layer over all positions
        head.in_channels //= factor**2
    if 'backgrounds' in cfg.model.data_preprocessor:
        backgrounds = cfg.model.data_preprocessor.backgrounds
        backgrounds.update(num=4, size=backgrounds.size // factor)
    cfg.model.backbone.init_cfg = None
    narrow(cfg.model)


def narrow(model: Config) -> None:
    """Reduce the channels and the depth of the backbones that are known here; others stay as they are."""
    backbone, after = model.backbone, model.get('neck') or model.head
    if backbone.type == 'ResNet':
        backbone.update(depth=min(backbone.depth, 50), stem_channels=8, base_channels=8)
        after.in_channels //= 8
    elif backbone.type == 'TruncatedHRNet':
        for stage in backbone.extra.values():
            blocks, channels = (1,) * stage.num_branches, tuple(c // 4 for c in stage.num_channels)
            stage.update(num_modules=1, num_blocks=blocks, num_channels=channels)
        after.in_channels //= 4
    elif backbone.type == 'PMSDSNet':
        for name in ('widths', 'fusion_widths', 'stem_widths'):
            backbone[name] = tuple(max(4, width // 8) for width in backbone[name])
        with torch.device('meta'):
            after.in_channels = MODELS.build(backbone).out_channels
    elif backbone.type == 'PoseEstimationNet':
        backbone.widths = tuple(width // 8 for width in backbone.get('widths', (64, 96, 128, 256)))
    elif backbone.type == 'CPM':
        backbone.num_stages = 2
