"""The demo of HTT on a made-up video with an untrained network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import demo
from helpers.mini_clips import LIST_NAMES
from helpers.tiny_htt import write_tiny_htt

from handkp_plugins.apps.demo import clips
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

CAMERA = (72.0, 72.0, 47.5, 35.5)


@pytest.fixture(scope='module')
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tiny_htt(tmp_path_factory.mktemp('network'))


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'kitchen.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 30, (96, 72))
    for i in range(7):
        writer.write(np.full((72, 96, 3), 30 * i, np.uint8))
    writer.release()
    return path


def test_a_video(network, video, tmp_path, capsys, monkeypatch) -> None:
    extracted = []
    push = clips.ClipStream._feature
    monkeypatch.setattr(clips.ClipStream, '_feature', lambda self, image: extracted.append(1) or push(self, image))
    content = demo(video, tmp_path, pose=network, camera=CAMERA, device='cpu')
    assert len(extracted) == 7  # once a frame
    assert json.loads((tmp_path / 'keypoints.json').read_text()) == content and content['complete']
    assert [item['frame'] for item in content['items']] == list(range(7))
    # windows are 0 and 2, 1 and 3, 4 and 6; that of 5 stays incomplete
    assert [item['final'] for item in content['items']] == [True] * 5 + [False, True]
    assert content['action'] in LIST_NAMES['actions'] and content['items'][-1]['action'] == content['action']
    for item in content['items']:
        (hand,) = item['instances']
        points, pixels = np.array(hand['keypoints_3d']), np.array(hand['keypoints'])
        assert points.shape == (NUM_KEYPOINTS, 3) and hand['handedness'] == 'right'
        image = points @ np.array(content['camera']).T
        assert image[:, :2] / image[:, 2:] == pytest.approx(pixels, abs=0.05)
        assert item['object'] in LIST_NAMES['objects'] and 0.5 <= item['object_score'] <= 1
    assert cv2.VideoCapture(str(tmp_path / 'kitchen.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 7
    assert '7 frames' in capsys.readouterr().out


def test_the_window_shows_provisional_results_until_the_user_leaves(network, video, tmp_path, monkeypatch) -> None:
    shown = []

    class Window:
        def __init__(self, title: str) -> None: ...

        def show(self, image: np.ndarray) -> bool:
            shown.append(image.shape)
            return len(shown) < 4

        def close(self) -> None:
            shown.append('closed')

    labels = []
    draw_label = clips.draw_label
    monkeypatch.setattr(clips, 'Window', Window)
    monkeypatch.setattr(clips, 'draw_label', lambda *args: labels.append(args[1]) or draw_label(*args))
    content = demo(video, tmp_path, pose=network, camera=CAMERA, device='cpu', show=True)
    assert shown == [(72, 96, 3)] * 4 + ['closed'] and not content['complete'] and len(content['items']) == 4
    provisional = [label.endswith('(provisional)') for label in labels]
    # shown 0, 1, 2; then 2 is final, and 0 is written; shown 3; then all others are written
    assert provisional[:3] == [True, True, False] and not any(provisional[3:])


def test_fewer_frames(network, video, tmp_path) -> None:
    content = demo(video, tmp_path, pose=network, camera=CAMERA, device='cpu', max_frames=3)
    assert len(content['items']) == 3 and not content['complete']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({}, r'--camera: expected FX FY CX CY above 0 .*, got None'),
        ({'camera': (1, 2, 3, 0)}, r'--camera: expected FX FY CX CY above 0 .*, got \(1, 2, 3, 0\)'),
        ({'camera': CAMERA, 'whole_image': True}, '--whole-image: expected without a network of clips'),
        ({'camera': CAMERA, 'smooth': True}, '--smooth: expected without a network of clips'),
        ({'camera': CAMERA, 'max_frames': 0}, '--max-frames: expected an integer from 1 on, got 0'),
    ],
)
def test_options_that_do_not_fit(network, video, tmp_path, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        demo(video, tmp_path, pose=network, device='cpu', **options)


def test_images_and_other_networks_are_refused(network, video, tmp_path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((72, 96, 3), np.uint8))
    with pytest.raises(ValueError, match='source: expected a video or webcam:N for a network of clips'):
        demo(tmp_path / 'a.png', tmp_path / 'out', pose=network, camera=CAMERA)
    with pytest.raises(ValueError, match='--camera: expected with a network of clips'):
        demo(video, tmp_path / 'out', camera=CAMERA)
