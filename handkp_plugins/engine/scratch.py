"""Trainings inside a tool, which leave nothing behind."""

import time
from pathlib import Path

from mmengine.config import Config


def leave_nothing(cfg: Config, folder: str | Path) -> None:
    """Change a config so that its runner writes into ``folder`` alone, validates nothing and saves no checkpoint.

    MMEngine keeps loggers and visualizers by name for as long as the process lives; these get names of their own, lest
    the next runner of the process writes into a folder that is gone.
    """
    name = f'scratch_{time.time_ns()}'
    cfg.update(work_dir=str(folder), experiment_name=name)
    cfg.visualizer = dict(cfg.get('visualizer') or dict(type='Visualizer'), name=name, vis_backends=[])
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = None
