"""Shipped weights of a tiny network, in folders of a test's own."""

from pathlib import Path

import pytest
import torch
from helpers.tiny_model import write_tiny_model

from handkp_plugins.engine.checkpoint import shipped as weights
from handkp_plugins.engine.config import load_config


def ship_tiny(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = 'lite') -> tuple[Path, Path, Path]:
    """Let the package ship a tiny network; returns its config, its checkpoint and its weights file."""
    (folder / 'configs' / 'tiny').mkdir(parents=True)
    config, checkpoint = write_tiny_model(folder / 'configs' / 'tiny')
    monkeypatch.setattr(weights, 'CONFIGS', folder / 'configs')
    monkeypatch.setattr(weights, 'FOLDER', folder / 'shipped')
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    file = folder / 'shipped' / f'{name}.safetensors'
    weights.save_weights_file(file, state, 'tiny/tiny.py', load_config(config))
    return config, checkpoint, file
