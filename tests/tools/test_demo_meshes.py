"""The demo of HaMuCo with an untrained network: one image, left hands, and videos of several cameras."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import demo
from helpers.hand_views import random_rotations
from helpers.tiny_hamuco import write_tiny_hamuco

SIZE = (120, 90)


@pytest.fixture(scope='module')
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tiny_hamuco(tmp_path_factory.mktemp('network'))


@pytest.fixture(scope='module')
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('image') / 'photo.png'
    noise = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 4))
    return path


def test_an_image(network: tuple[Path, Path], image: Path, tmp_path: Path) -> None:
    content = demo(image, tmp_path, pose=network, device='cpu', bbox=[(10, 10, 60, 60), (30, 20, 70, 70)])
    assert json.loads((tmp_path / 'keypoints.json').read_text()) == content
    for i, hand in enumerate(content['items'][0]['instances']):
        camera, points = hand['weak_camera'], np.array(hand['keypoints_3d'])
        expected = np.array(camera['center']) + camera['scale'] * points[:, :2]
        assert np.allclose(expected, hand['keypoints'], atol=0.05)
        lines = (tmp_path / 'meshes' / f'photo_{i}.obj').read_text().splitlines()
        assert sum(line.startswith('v ') for line in lines) == 807
    drawn, plain = cv2.imread(str(tmp_path / 'photo.png')), cv2.imread(str(image))
    assert drawn.shape == plain.shape and (drawn != plain).any(-1).mean() > 0.05


def test_left_hands_are_seen_mirrored(network: tuple[Path, Path], image: Path, tmp_path: Path) -> None:
    mirrored = tmp_path / 'mirrored.png'
    cv2.imwrite(str(mirrored), cv2.imread(str(image))[:, ::-1])
    right = demo(image, tmp_path / 'a', pose=network, device='cpu', bbox=[(10, 10, 60, 60)])
    box = (SIZE[0] - 70, 10, 60, 60)
    left = demo(mirrored, tmp_path / 'b', pose=network, device='cpu', bbox=[box], left=True)
    (one,), (other,) = (content['items'][0]['instances'] for content in (right, left))
    assert np.allclose(other['keypoints'], np.array([SIZE[0] - 1, 0]) + np.array(one['keypoints']) * [-1, 1], atol=0.02)
    assert np.allclose(other['keypoints_3d'], np.array(one['keypoints_3d']) * [-1, 1, 1], atol=1e-4)
    assert other['rotations'] == one['rotations'] and other['bbox'] == list(map(float, box))


@pytest.fixture(scope='module')
def cameras(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Three cameras, and their videos of 4, 4 and 5 frames."""
    folder = tmp_path_factory.mktemp('views')
    matrix = [[150.0, 0, 60], [0, 150.0, 45], [0, 0, 1]]
    known = [
        dict(K=matrix, R=rotation, t=[0, 0, 0.6], size=SIZE, name=f'camera {v}')
        for v, rotation in enumerate(random_rotations(3).double().tolist())
    ]
    (folder / 'cameras.json').write_text(json.dumps(dict(unit='m', cameras=known)))
    videos = []
    for v, frames in enumerate((4, 4, 5)):
        videos.append(folder / f'{v}.avi')
        writer = cv2.VideoWriter(str(videos[-1]), cv2.VideoWriter_fourcc(*'MJPG'), 25, SIZE)
        for i in range(frames):
            writer.write(np.random.default_rng([v, i]).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
        writer.release()
    return folder / 'cameras.json', videos


def test_several_videos(network: tuple[Path, Path], cameras: tuple[Path, list[Path]], tmp_path: Path) -> None:
    file, (first, *others) = cameras
    content = demo(first, tmp_path, pose=network, device='cpu', whole_image=True, views=others, calibration=file)
    assert content['complete'] and len(content['items']) == 4 and content['unit'] == 'm'
    known = json.loads(file.read_text())['cameras']
    for item in content['items']:
        points, errors = np.array(item['keypoints_3d']), []
        assert points.shape == (21, 3) and [hand['view'] for hand in item['instances']] == [0, 1, 2]
        for hand, camera in zip(item['instances'], known, strict=True):
            seen = (points @ np.array(camera['R']).T + camera['t']) @ np.array(camera['K']).T
            errors.append(np.linalg.norm(seen[:, :2] / seen[:, 2:] - hand['keypoints'], axis=1))
        assert np.mean(errors) == pytest.approx(item['reprojection_error'], rel=0.01)
    video = cv2.VideoCapture(str(tmp_path / 'views.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 4 and video.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * SIZE[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(calibration=None), '--views, --calibration: expected both or neither'),
        (dict(smooth=True), '--smooth: expected without --views, got it, too'),
        (dict(views=['a.png']), '--views: expected videos or webcam:N, got a.png'),
        (dict(views=[]), 'cameras.json: expected a camera for each of 1 videos, got 3'),
    ],
)
def test_options_that_do_not_fit_views(
    network: tuple[Path, Path], cameras: tuple[Path, list[Path]], tmp_path: Path, options: dict, message: str
) -> None:
    file, (first, *others) = cameras
    given = dict(pose=network, device='cpu', whole_image=True, views=others, calibration=file) | options
    with pytest.raises(ValueError, match=message):
        demo(first, tmp_path, **given)


def test_frames_of_another_size(network: tuple[Path, Path], cameras: tuple[Path, list[Path]], tmp_path: Path) -> None:
    file, (first, *others) = cameras
    known = json.loads(file.read_text())
    known['cameras'][1]['size'] = [640, 480]
    (tmp_path / 'cameras.json').write_text(json.dumps(known))
    options = dict(pose=network, device='cpu', whole_image=True, views=others, calibration=tmp_path / 'cameras.json')
    with pytest.raises(ValueError, match='1.avi: expected frames of 640×480, .* got 120×90'):
        demo(first, tmp_path / 'out', **options)
