"""Calibrated cameras in files, and lenses that bend."""

import json
from pathlib import Path

import numpy as np
import pytest

from handkp_plugins.fileio.calibration import CalibratedCamera, read_calibration

K = [[700.0, 0, 320], [0, 710, 240], [0, 0, 1]]
TURNED = [[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]
CAMERA = dict(K=K, R=TURNED, t=[1, 2, 3])
DAT = """intrinsic:
700.0 0.0 320.0
0.0 710.0 240.0
0.0 0.0 1.0
distortion:
0.1 -0.2 0.001 0.002 0.05
"""
POSE = """R:
0 -1 0
1 0 0
0 0 1
T:
1
2
3

#below is the rotation from another camera
R:
9 9 9
"""


def write(path: Path, cameras: object, **more: object) -> Path:
    path.write_text(json.dumps(dict(cameras=cameras, **more)))
    return path


def test_json(tmp_path):
    full = dict(CAMERA, name='left', size=[640, 480], distortion=[0.1, 0, 0, 0], t=[[1], [2], [3]])
    calibration = read_calibration(write(tmp_path / 'a.json', [full, CAMERA], unit='mm'))
    left, right = calibration.cameras
    assert calibration.unit == 'mm' and left.name == 'left' and right.name == '1'
    assert left.size == (640, 480) and right.size is None and len(left.distortion) == 4 and not len(right.distortion)
    for camera in (left, right):
        assert camera.intrinsics.tolist() == K and camera.rotation.tolist() == TURNED
        assert camera.translation.tolist() == [1, 2, 3]


def test_folder(tmp_path):
    for i in (0, 1):
        (tmp_path / f'c{i}.dat').write_text(DAT)
        (tmp_path / f'rot_trans_c{i}.dat').write_text(POSE)
    calibration = read_calibration(tmp_path)
    assert [camera.name for camera in calibration.cameras] == ['c0', 'c1']
    camera = calibration.cameras[1]
    assert camera.intrinsics.tolist() == K and camera.rotation.tolist() == TURNED
    assert camera.translation.tolist() == [1, 2, 3] and camera.distortion.tolist() == [0.1, -0.2, 0.001, 0.002, 0.05]


def test_a_lens_that_bends():
    """Radial by hand: x = 0.5 becomes 0.5 · (1 + 0.1 · 0.5²) of the focal length; undistorting goes back."""
    camera = CalibratedCamera('a', np.array(K), np.eye(3), np.zeros(3), distortion=np.array([0.1, 0, 0, 0]))
    points = np.array([[0.5, 0, 1], [-0.1, 0.2, 1]])
    pixels = camera.project(points)
    assert pixels[0] == pytest.approx([320 + 700 * 0.5 * 1.025, 240])
    straight = points[:, :2] * [700, 710] + [320, 240]
    assert camera.undistort(pixels) == pytest.approx(straight, abs=1e-3)
    with_gap = camera.undistort(np.stack([pixels, np.full((2, 2), np.nan)]))
    assert with_gap[0] == pytest.approx(straight, abs=1e-3) and np.isnan(with_gap[1]).all()


@pytest.mark.parametrize(
    ('cameras', 'message'),
    [
        ({}, "a.json: expected an object with a list 'cameras', got"),
        ([CAMERA], 'a.json: cameras: expected two or more, got 1'),
        ([CAMERA, 3], 'a.json: camera 1: expected an object, got 3'),
        ([CAMERA, dict(CAMERA, R=None)], 'a.json: camera 1: R: expected 3×3 finite numbers, got None'),
        ([CAMERA, dict(CAMERA, t=[1, 2])], r'a.json: camera 1: t: expected 3 finite numbers, got \[1, 2\]'),
        ([dict(CAMERA, K=np.eye(3).T[::-1].tolist())] * 2, 'camera 0: K: expected focal lengths above 0 and the last'),
        ([dict(CAMERA, size=[640, 0])] * 2, r'camera 0: size: expected \[W, H\] above 0, got \[640, 0\]'),
        ([dict(CAMERA, size=640)] * 2, 'camera 0: size: expected 2 finite numbers, got 640'),
        (
            [dict(CAMERA, distortion=[1, 2])] * 2,
            r'camera 0: distortion: expected 4, 5, 8, 12, 14 numbers, got \[1, 2\]',
        ),
    ],
)
def test_malformed_json(tmp_path, cameras, message):
    with pytest.raises(ValueError, match=message):
        read_calibration(write(tmp_path / 'a.json', cameras))


def test_malformed_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected a JSON file, or a folder with c0.dat'):
        read_calibration(tmp_path)
    (tmp_path / 'c0.dat').write_text(DAT)
    with pytest.raises(FileNotFoundError, match='rot_trans_c0.dat: no such file; expected R, T of a camera'):
        read_calibration(tmp_path)
    pose = tmp_path / 'rot_trans_c0.dat'
    for text, message in (
        ('R:\n1 0 0\n', 'rot_trans_c0.dat: expected a line T:, got none'),
        (POSE.replace('1 0 0', '1 x 0'), 'rot_trans_c0.dat: R: expected 3 rows of numbers, got others'),
    ):
        pose.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_calibration(tmp_path)
    pose.write_text(POSE.replace('0 0 1', '0 0'))
    (tmp_path / 'c1.dat').write_text(DAT)
    (tmp_path / 'rot_trans_c1.dat').write_text(POSE)
    with pytest.raises(ValueError, match='camera 0: R: expected 3×3 finite numbers'):
        read_calibration(tmp_path)
    with pytest.raises(FileNotFoundError, match='gone.json: no such file; expected calibrated cameras'):
        read_calibration(tmp_path / 'gone.json')
