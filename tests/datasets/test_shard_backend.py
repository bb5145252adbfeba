import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.paths import ROOT
from mmengine import fileio

import handkp_plugins  # noqa: F401  (registers the backend)
from handkp_plugins.engine.config import load_config

CONFIGS = ROOT / 'configs' / 'pmsdsnet'
ARGS = dict(backend='hand_shards')


def encoded(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def test_a_member_of_a_shard_is_opened_over_grey(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / '0.zip', 'w') as shard:
        shard.writestr('1.jpg', encoded('.jpg', np.full((8, 8, 3), 200, np.uint8)))
        shard.writestr('1.png', encoded('.png', np.repeat(np.array([[0, 255]], np.uint8), 8, 0).repeat(4, 1)))
    data = fileio.get(f'{tmp_path}/0.zip/1.jpg', backend_args=ARGS)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image[:, 4:].min() >= 198  # the hand
    assert 120 <= image[:, :4].mean() <= 135  # mid grey
    with pytest.raises(ValueError, match=r'2\.jpg'):
        fileio.get(f'{tmp_path}/0.zip/2.jpg', backend_args=ARGS)


def test_other_files_are_opened_as_they_are(tmp_path: Path):
    (tmp_path / 'a.jpg').write_bytes(b'anything')
    assert fileio.get(f'{tmp_path}/a.jpg', backend_args=ARGS) == b'anything'


def test_pictures_of_predictions_are_opened_by_it():
    hook = load_config(CONFIGS / 'pmsdsnet_lite_layers-128.py').default_hooks.visualization
    assert hook.type == 'PoseVisualizationHook'
    assert hook.backend_args.to_dict() == ARGS
