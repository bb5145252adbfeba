"""Fused hands against triangulations, with an untrained network and labels without noise."""

import json
from pathlib import Path

import pytest
from helpers.hand_views import write_views
from helpers.tiny_hamuco import write_tiny_hamuco
from mmengine.config import Config
from multiview_baselines import main

VIEWS = 3


@pytest.fixture
def network(tmp_path: Path) -> tuple[Path, Path]:
    config, checkpoint = write_tiny_hamuco(tmp_path)
    write_views(tmp_path, frames=3, views=VIEWS, pinhole=True)
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.update(data_root=str(tmp_path), ann_file='ann.json')
    cfg.dump(config)
    return config, checkpoint


def test_true_labels_are_triangulated_to_the_truth(network: tuple[Path, Path], tmp_path: Path) -> None:
    scores = main(*network, views=(2, VIEWS), device='cpu', output=tmp_path / 'scores.json')
    assert json.loads((tmp_path / 'scores.json').read_text()).keys() == {'2', '3'}
    for number in (2, VIEWS):
        for method in ('DLT', 'weighted DLT', 'RANSAC'):
            assert max(scores[number][method].values()) < 0.1
        assert scores[number]['Opt-Center']['PA'] == pytest.approx(scores[number]['fused']['PA'], rel=1e-3)
        assert (
            scores[number]['fused']['PA'] > 1 and scores[number]['fused']['world'] != scores[number]['fused']['world']
        )


def test_frames_with_too_few_views_are_named(network: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match='ann.json: frame 0: expected 4 views, got 3'):
        main(*network, views=(4,), device='cpu')
