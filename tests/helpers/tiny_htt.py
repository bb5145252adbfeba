"""A small untrained HTT in files."""

from pathlib import Path

import torch
from helpers.mini_clips import LIST_NAMES
from helpers.paths import CONFIGS
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator

from handkp_plugins.engine.config import load_config

TINY = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.head.embed_dims': 64,
    'model.head.window': 2,
    'model.head.num_objects': 2,
    'model.head.num_actions': 3,
}
"""Options of the small config's network for the names of ``LIST_NAMES``."""
SMALL = CONFIGS / 'htt' / 'htt_small_generated-96x72.py'


def write_tiny_htt(folder: Path, spacing: int = 2) -> tuple[Path, Path]:
    """Write and return config and checkpoint of a network with T = 4 and t = 2, for the names of ``LIST_NAMES``."""
    options = TINY | {
        'test_dataloader.dataset.clip_length': 4,
        'test_dataloader.dataset.window': 2,
        'test_dataloader.dataset.spacing': spacing,
    }
    cfg = load_config(SMALL, options)
    cfg.dump(folder / 'htt.py')
    init_default_scope('mmpose')
    model = build_pose_estimator(cfg.model)
    meta = dict(dataset_meta=dict(classes=tuple(LIST_NAMES['actions']), objects=tuple(LIST_NAMES['objects'])))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), folder / 'htt.pth')
    return folder / 'htt.py', folder / 'htt.pth'
