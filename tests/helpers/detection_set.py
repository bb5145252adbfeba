"""A handful of generated scenes, and a config of a detector that is trained on them in seconds."""

from pathlib import Path

from helpers.paths import ROOT
from mmengine.config import Config

from handkp_plugins.engine.config import load_config
from handkp_plugins.synthetic.datasets.generate import generate
from handkp_plugins.synthetic.datasets.recipe import SceneRecipe

CONFIGS = ROOT / 'configs' / 'hand_detection'


def write_scenes(folder: Path, num: int = 10, size: int = 128) -> Path:
    """Generate scenes into a folder; returns it."""
    generate(folder, SceneRecipe(num=num, size=size, seed=1), workers=1)
    return folder


def options_for(folder: Path) -> dict[str, object]:
    """Config options that train and validate on a set of scenes, in this process."""
    options: dict[str, object] = {'log_level': 'ERROR', 'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2}
    for split in ('train', 'val', 'test'):
        options |= {
            f'{split}_dataloader.dataset.data_root': str(folder),
            f'{split}_dataloader.batch_size': 4,
            f'{split}_dataloader.num_workers': 0,
            f'{split}_dataloader.persistent_workers': False,
        }
    return options | {f'{s}_evaluator.ann_file': str(folder / 'annotations' / f'{s}.json') for s in ('val', 'test')}


def detector_config(name: str, folder: Path) -> Config:
    """One of the configs for scenes, on a set of a few."""
    return load_config(CONFIGS / f'{name}.py', options_for(folder))
