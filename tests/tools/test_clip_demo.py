"""The demo of HTT on a made-up video with an untrained network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.mini_clips import LIST_NAMES
from helpers.paths import CONFIGS
from helpers.tool_module import load_tool
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator

from handkp_plugins.engine.config import load_config

clip_demo = load_tool('clip_demo')
SMALL = CONFIGS / 'htt' / 'htt_small_generated-96x72.py'
CAMERA = (93.0, 93.0, 64.0, 36.0)


@pytest.fixture(scope='module')
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Config and checkpoint of a small network with T = 4 and t = 2."""
    folder = tmp_path_factory.mktemp('network')
    options = {
        'model.backbone.stem_channels': 8,
        'model.backbone.base_channels': 8,
        'model.head.embed_dims': 64,
        'model.head.window': 2,
        'model.head.num_objects': 2,
        'model.head.num_actions': 3,
        'test_dataloader.dataset.clip_length': 4,
        'test_dataloader.dataset.window': 2,
        'test_dataloader.dataset.spacing': 2,
    }
    cfg = load_config(SMALL, options)
    cfg.dump(folder / 'htt.py')
    init_default_scope('mmpose')
    model = build_pose_estimator(cfg.model)
    meta = dict(dataset_meta=dict(classes=tuple(LIST_NAMES['actions']), objects=tuple(LIST_NAMES['objects'])))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), folder / 'htt.pth')
    return folder / 'htt.py', folder / 'htt.pth'


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'kitchen.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 30, (128, 72))
    for i in range(7):
        writer.write(np.full((72, 128, 3), 30 * i, np.uint8))
    writer.release()
    return path


def test_a_video(network: tuple[Path, Path], video: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    content = clip_demo.main(video, *network, CAMERA, tmp_path, 'cpu')
    assert json.loads((tmp_path / 'clip.json').read_text()) == content
    assert [entry['frame'] for entry in content['frames']] == list(range(7))
    assert content['action'] in LIST_NAMES['actions'] and content['frames'][-1]['action'] == content['action']
    for entry in content['frames']:
        assert np.shape(entry['keypoints']) == (1, 21, 2) and np.shape(entry['keypoints_3d']) == (1, 21, 3)
        assert entry['object'] in LIST_NAMES['objects'] and 0.5 <= entry['object_score'] <= 1
    assert cv2.VideoCapture(str(tmp_path / 'kitchen.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 7
    assert '7 frames' in capsys.readouterr().out


def test_fewer_frames(network: tuple[Path, Path], video: Path, tmp_path: Path) -> None:
    assert len(clip_demo.main(video, *network, CAMERA, tmp_path, 'cpu', max_frames=3)['frames']) == 3


def test_bad_arguments(network: tuple[Path, Path], video: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'camera: expected fx fy cx cy above 0, got \(1, 2, 3\)'):
        clip_demo.main(video, *network, (1, 2, 3), tmp_path)
    with pytest.raises(ValueError, match='max_frames: expected an integer from 1, got 0'):
        clip_demo.main(video, *network, CAMERA, tmp_path, max_frames=0)
    with pytest.raises(ValueError, match='htt_small.py: model: expected HTT, got TopdownPoseEstimator'):
        other = CONFIGS / 'pmsdsnet' / 'pmsdsnet_lite_synthetic-128.py'
        link = tmp_path / 'htt_small.py'
        load_config(other).dump(link)
        clip_demo.main(video, link, 'handkp://lite', CAMERA, tmp_path, 'cpu')
