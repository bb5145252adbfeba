"""The command that turns keypoints of calibrated videos into 3D."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from helpers.seen_videos import moving_hand, write_calibration, write_view, write_views
from helpers.tool_module import TOOLS, load_tool
from helpers.views import SIZE, cameras, seen

from handkp_plugins.models.hand_layers import HandLayer


@pytest.fixture(scope='module')
def tool():
    return load_tool('triangulate')


def points_of(document: dict) -> np.ndarray:
    """Points (F, 21, 3), NaN for null."""
    return np.array([[p or [np.nan] * 3 for p in frame['points']] for frame in document['frames']])


@pytest.mark.parametrize('method', ['dlt', 'weighted', 'ransac'])
def test_a_rigid_hand(tool, tmp_path, method, capsys):
    views, truth = write_views(tmp_path)
    document = tool.main(views, write_calibration(tmp_path / 'cameras.json'), tmp_path / 'out' / 'hand.json', method)
    assert document == json.loads((tmp_path / 'out' / 'hand.json').read_text())
    assert points_of(document) == pytest.approx(truth, abs=1e-8)
    assert document['unit'] == 'm' and document['method'] == method and document['version'] == 1
    frame, summary = document['frames'][3], document['summary']
    assert frame['frame'] == 3 and frame['time'] == pytest.approx(0.1) and frame['reprojection_error'] < 1e-6
    assert frame['views'] == ['a', 'b', 'c'] and frame['num_views'] == [3] * 21
    assert summary['frames'] == summary['found'] == summary['whole'] == 12
    assert len(summary['bones']) == 20 and all(bone['variation'] < 1e-6 for bone in summary['bones'])
    assert summary['bones'][0]['length'] == pytest.approx(np.linalg.norm(truth[0, 1] - truth[0, 0]))
    text = capsys.readouterr().out
    assert 'frames: 12 of 12 with the hand, 12 with all' in text and 'reprojection error: 0.00 px' in text
    assert 'bone lengths vary by 0.0% of the mean' in text and 'length (m)' in text


def test_figures_of_a_hand_that_grows(tool, tmp_path):
    """Sizes 1, 1.1, 1.2 …: the standard deviation over the mean is that of these numbers."""
    sizes = 1 + 0.1 * np.arange(5)
    pixels = seen(moving_hand(5) * sizes[:, None, None], cameras(3))
    views = [write_view(tmp_path / f'{i}.json', pixels[:, i]) for i in range(3)]
    document = tool.main(views, write_calibration(tmp_path / 'cameras.json'), tmp_path / 'hand.json')
    variations = [bone['variation'] for bone in document['summary']['bones']]
    assert variations == pytest.approx([sizes.std() / sizes.mean()] * 20, rel=1e-5)


def test_hands_that_views_miss(tool, tmp_path, capsys):
    views, truth = write_views(tmp_path)
    pixels = seen(truth, cameras(3))
    pixels[4:6, 0] = np.nan  # two views are left
    pixels[5, 1] = np.nan  # one view is left
    views = [write_view(path, pixels[:, i]) for i, path in enumerate(views)]
    document = tool.main(views, write_calibration(tmp_path / 'cameras.json'), tmp_path / 'hand.json')
    assert len(document['frames']) == 12 and document['summary']['found'] == 11
    gap, pair = document['frames'][5], document['frames'][4]
    assert gap['points'] == [None] * 21 and gap['reprojection_error'] is None and gap['views'] == []
    assert pair['views'] == ['b', 'c'] and pair['num_views'] == [2] * 21
    assert 'frames: 11 of 12 with the hand, 11 with all' in capsys.readouterr().out


def test_points_behind_a_camera_are_left_out(tool, tmp_path, capsys):
    """Two cameras side by side whose rays of one keypoint meet behind them."""
    record = dict(K=[[700, 0, 320], [0, 700, 240], [0, 0, 1]], R=np.eye(3).tolist())
    calibration = tmp_path / 'cameras.json'
    calibration.write_text(json.dumps(dict(cameras=[record | dict(t=[0, 0, 0]), record | dict(t=[-0.1, 0, 0])])))
    k, r, t = (np.array([c[key] for c in json.loads(calibration.read_text())['cameras']]) for key in ('K', 'R', 't'))
    pixels = seen(moving_hand() + [0, 0, 0.7], (k, r, t))
    pixels[3, 1, 8, 0] = pixels[3, 0, 8, 0] + 40
    views = [write_view(tmp_path / f'{i}.json', pixels[:, i]) for i in range(2)]
    document = tool.main(views, calibration, tmp_path / 'hand.json')
    assert document['frames'][3]['points'][8] is None and document['frames'][3]['num_views'][8] == 0
    assert document['summary']['behind'] == 1 and document['summary']['whole'] == 11
    assert document['frames'][3]['reprojection_error'] < 1e-6
    assert 'left out: 1 keypoints that came to lie behind a camera' in capsys.readouterr().out


def test_scores_weigh_and_select(tool, tmp_path):
    """The third view is wrong and unsure: weights hold it down, a threshold or RANSAC leaves it out."""
    _, truth = write_views(tmp_path)
    pixels = seen(truth, cameras(3))
    pixels[:, 2] += 30
    views = [write_view(tmp_path / f'{i}.json', pixels[:, i], 0.15 if i == 2 else 0.9) for i in range(3)]
    calibration = write_calibration(tmp_path / 'cameras.json')

    def error(**options):
        document = tool.main(views, calibration, tmp_path / 'hand.json', unchecked=True, **options)
        return np.abs(points_of(document) - truth).max()

    assert error(score_thr=0.2) < 1e-8 > error(method='ransac')
    assert 1e-4 < error() < 0.3 * error(method='dlt')


def test_a_lens_that_bends(tool, tmp_path):
    """Keypoints on bent images; without the coefficients the points would be off."""
    _, truth = write_views(tmp_path)
    k, r, t = cameras(3)
    lens = np.array([-0.3, 0.1, 0.001, 0.002, 0.0])
    views = []
    for i in range(3):
        bent, _ = cv2.projectPoints(truth.reshape(-1, 1, 3), cv2.Rodrigues(r[i])[0], t[i], k[i], lens)
        views.append(write_view(tmp_path / f'{i}.json', bent.reshape(-1, 21, 2)))
    for distortion, low, high in ((lens.tolist(), 0, 1e-5), ([], 1e-4, 1)):
        calibration = write_calibration(tmp_path / 'cameras.json', distortion=distortion)
        found = points_of(tool.main(views, calibration, tmp_path / 'hand.json'))
        assert low <= np.abs(found - truth).max() < high


def test_a_shifted_video(tool, tmp_path, capsys):
    truth = moving_hand(15)
    pixels = seen(truth, cameras(3))
    views = [write_view(tmp_path / f'{i}.json', pixels[3 * (i != 1) : 15, i]) for i in range(3)]  # the second is longer
    calibration = write_calibration(tmp_path / 'cameras.json')
    with pytest.raises(ValueError, match='expected the same number of frames, got 12, 15, 12; --shift says'):
        tool.main(views, calibration, tmp_path / 'hand.json')
    document = tool.main(views, calibration, tmp_path / 'hand.json', shift=[0, 3, 0])
    assert points_of(document) == pytest.approx(truth[3:], abs=1e-8)
    assert f'frames without one of the same moment in all views: 3 of {views[1]}' in capsys.readouterr().out


def test_drawn_frames(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    views, _ = write_views(tmp_path, frames=6)
    for name in 'abc':
        writer = cv2.VideoWriter(f'{name}.avi', cv2.VideoWriter_fourcc(*'MJPG'), 20, SIZE)
        for _ in range(6):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
        writer.release()
    tool.main(views, write_calibration(tmp_path / 'cameras.json'), 'hand.json', video='hand.mp4', picture='hand.png')
    video = cv2.VideoCapture('hand.mp4')
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 6 and video.get(cv2.CAP_PROP_FPS) == 20
    sheet = cv2.imread('hand.png')
    assert sheet.shape[1] == video.get(cv2.CAP_PROP_FRAME_WIDTH) > 1600
    assert sheet.shape[0] == 4 * video.get(cv2.CAP_PROP_FRAME_HEIGHT)
    views_part = sheet[:, : 3 * 404]  # three views on grey, with coloured bones
    assert (np.ptp(views_part.astype(int), axis=2) > 60).mean() > 0.002
    os.remove('b.avi')
    with pytest.raises(FileNotFoundError, match='b.avi'):
        tool.main(views, tmp_path / 'cameras.json', 'hand.json', picture='hand.png')


def test_swapped_cameras(tool, tmp_path):
    views, _ = write_views(tmp_path, noise=2)
    swapped = write_calibration(tmp_path / 'cameras.json', order=[1, 0, 2])
    with pytest.raises(ValueError, match='swapped[?] With the cameras a, b, c, in this order, it is [1-9][.]'):
        tool.main(views, swapped, tmp_path / 'hand.json')
    assert not (tmp_path / 'hand.json').exists()
    assert tool.main(views, swapped, tmp_path / 'hand.json', unchecked=True)['epipolar_distance'] is None


@pytest.mark.parametrize(
    ('change', 'options', 'message'),
    [
        (
            dict(size=[1920, 1080]),
            {},
            'camera a: size: expected 640x480, that of the frames of .*a.json, got 1920x1080',
        ),
        (dict(R=np.diag([1.0, 1, 2]).tolist()), {}, 'R: expected a rotation'),
        (
            dict(size=None, K=[[9, 0, 960], [0, 9, 540], [0, 0, 1]]),
            {},
            'K of camera a: expected .* 640x480 .*got .960, 5',
        ),
        ({}, dict(hand=['1']), '--hand: expected a track or surest for each of 3 views, got 1'),
        ({}, dict(score_thr=2), '--keypoint-score: expected 0 to 1, got 2'),
        ({}, dict(score_thr=0.95), 'points: expected a frame in which two views know the hand, got none'),
        ({}, dict(method='svd'), "method: expected one of .*, got 'svd'"),
    ],
)
def test_bad_cameras_and_options(tool, tmp_path, change, options, message):
    views, _ = write_views(tmp_path)
    with pytest.raises(ValueError, match=message):
        tool.main(views, write_calibration(tmp_path / 'cameras.json', **change), tmp_path / 'hand.json', **options)


def test_views_and_cameras_of_different_number(tool, tmp_path):
    views, _ = write_views(tmp_path)
    calibration = write_calibration(tmp_path / 'cameras.json')
    with pytest.raises(ValueError, match='--calibration: expected a camera for each of 2 views, .* got 3'):
        tool.main(views[:2], calibration, tmp_path / 'hand.json')
    with pytest.raises(ValueError, match='expected two views or more, got 1'):
        tool.main(views[:1], calibration, tmp_path / 'hand.json')


def test_the_arguments_of_the_command_line(tool):
    arguments = ['a.json', 'b.json', '--calibration', 'c.json', '--out', 'o.json', '--shift', '0', '-3']
    parsed = tool.parse_args([*arguments, '--hand', '1', 'surest', '--keypoint-score', '0.2', '--method', 'ransac'])
    assert parsed == dict(
        keypoints=['a.json', 'b.json'], calibration='c.json', out='o.json', shift=[0, -3], hand=['1', 'surest'],
        score_thr=0.2, method='ransac', unchecked=False, fit=False, side=None,
        video=None, picture=None,
    )  # fmt: skip


def test_errors_on_the_command_line_are_one_line(tmp_path):
    command = [sys.executable, str(TOOLS / 'triangulate.py'), 'a.json', 'b.json', '--out', 'o.json', '--calibration']
    done = subprocess.run([*command, 'gone.json'], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == 'triangulate.py: gone.json: no such file; expected calibrated cameras'


def test_a_fitted_hand(tool, tmp_path, capsys):
    layer, identity = HandLayer(), torch.eye(3).expand(1, 16, 3, 3)
    hand = layer(layer.add_mean_pose(identity), torch.zeros(1, 10))[1][0].double().numpy()
    truth = hand - hand.mean(0) + np.linspace([-0.05, 0, 0], [0.05, 0.02, 0], 4)[:, None]
    pixels = seen(truth, cameras(3))
    views = [write_view(tmp_path / f'{name}.json', pixels[:, i]) for i, name in enumerate('abc')]
    calibration = write_calibration(tmp_path / 'cameras.json')
    document = tool.main(views, calibration, tmp_path / 'hand.json', fit=True, side='right')
    assert document['fit']['side'] == 'right' and document['fit']['size'] == pytest.approx(1, rel=0.02)
    assert np.abs(points_of(document) - truth).max() < 0.004
    assert max(bone['variation'] for bone in document['summary']['bones']) < 1e-3
    text = capsys.readouterr().out
    assert text.index('triangulated') < text.index('fitted') and 'a right hand, ' in text
    with pytest.raises(ValueError, match="--side: expected 'left' or 'right', with --fit, got 'left'"):
        tool.main(views, calibration, tmp_path / 'hand.json', side='left')
