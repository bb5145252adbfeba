"""A small untrained HaMuCo in files."""

from pathlib import Path

import torch
from helpers.paths import CONFIGS
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator

from handkp_plugins.engine.config import load_config

SMALL = CONFIGS / 'hamuco' / 'hamuco_small_generated-128.py'
SIZE = (64, 64)
TINY: dict[str, object] = {
    'model.head.input_size': SIZE,
    'model.head.in_channels': (8, 16, 32, 64),
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'train_dataloader.dataset.pipeline.4.input_size': SIZE,
    'train_dataloader.dataset.pipeline.7.encoder.input_size': SIZE,
    'val_dataloader.dataset.pipeline.3.input_size': SIZE,
    'test_dataloader.dataset.pipeline.3.input_size': SIZE,
}
"""Options of the small config."""


def write_tiny_hamuco(folder: Path) -> tuple[Path, Path]:
    """Write and return config and checkpoint."""
    cfg = load_config(SMALL, TINY)
    cfg.dump(folder / 'hamuco.py')
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_pose_estimator(cfg.model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), folder / 'hamuco.pth')
    return folder / 'hamuco.py', folder / 'hamuco.pth'
