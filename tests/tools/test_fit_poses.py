"""The command that turns recorded keypoints into poses."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.tool_module import load_tool

from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.proxies import pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES, gesture
from handkp_plugins.synthetic.poses.sampler import PoseSampler, load_poses

TOOL = ROOT / 'tools' / 'fit_poses.py'
NAMES = ['open', 'fist', 'victory', 'point', 'rock', 'claw']


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('fit_poses')


@pytest.fixture(scope='module')
def angles() -> np.ndarray:
    return np.stack([GESTURES[name].angles for name in NAMES])


@pytest.fixture(scope='module')
def hands(angles) -> np.ndarray:
    """(6, 21, 3) metres, palm to the camera, fingers up; y down."""
    return hand_keypoints(angles, HandShape()) * [-1, -1, 1]


def write_table(path: Path, hands: np.ndarray) -> None:
    """Write a gesture table: 42 numbers a row from the wrist, the greatest made 1."""
    flat = (hands[..., :2] - hands[:, :1, :2]).reshape(len(hands), 42)
    rows = np.column_stack([np.arange(len(hands)), flat / np.abs(flat).max(1, keepdims=True)])
    np.savetxt(path, rows, ['%d', *['%.17g'] * 42], ',')
    path.with_name('keypoint_classifier_label.csv').write_text('\n'.join(NAMES))


def test_every_format_gives_the_poses_back(tool, tmp_path, angles, hands, capsys):
    aspect = 16 / 9
    in_shares = 0.5 + hands / [aspect, 1, aspect]  # of a picture's width and height
    np.savez(tmp_path / 'letters.npz', x=in_shares.reshape(-1, 63), y=np.array(NAMES))
    np.save(tmp_path / 'joints.npy', hands.astype(np.float32))
    (tmp_path / 'pixels.json').write_text(json.dumps((300 + 1500 * hands[..., :2]).tolist()))
    write_table(tmp_path / 'keypoint.csv', hands)
    for name, options, within in (
        ('letters.npz', dict(aspect=aspect), 2),
        ('joints.npy', {}, 2),
        ('pixels.json', {}, 6),
        ('keypoint.csv', {}, 6),
    ):
        out = tmp_path / 'poses' / f'{name}.npz'
        (fit,) = tool.main([tmp_path / name], out, **options)
        assert fit.good.tolist() == [True] * 6 and fit.median < 0.01, name
        errors = np.abs([pose.angles for pose in load_poses(out)] - angles)
        assert np.median(errors[:, :16]) < within, name  # degrees, of the long fingers
        with np.load(out) as file:
            assert file['angles'].dtype == np.float32 and file['residual'].shape == (6,)
            assert file['sources'][0] == f'{name}:{1 if name.endswith("csv") else 0}'
            labelled = name in ('letters.npz', 'keypoint.csv')
            assert file['names'].tolist() == (NAMES if labelled else [Path(name).stem] * 6)
        assert f'{name}: 6 kept, 0 dropped, median residual' in capsys.readouterr().out
    assert PoseSampler(load_poses(out), shares={'recorded': 1}).sample(np.random.default_rng(0), HandShape())


def test_fingers_inside_each_other_are_moved_apart(tool, tmp_path, capsys):
    shape = HandShape()
    inside = gesture((24, 6, 15, 41, 64), *[(84, 0, 106, 64)] * 4, 6)  # the thumb 10 mm inside folded fingers
    both = np.stack([inside.angles, GESTURES['open'].angles])
    points = hand_keypoints(both, shape) * [-1, -1, 1]
    for dims, trust in ((3, 1.0), (3, 0.0), (2, 1.0)):
        np.save(tmp_path / 'a.npy', points[..., :dims])
        tool.main([tmp_path / 'a.npy'], tmp_path / 'out.npz', depth_trust=trust)
        assert '2 poses in' in (text := capsys.readouterr().out) and 'fingers moved apart in 1' in text
        poses = load_poses(tmp_path / 'out.npz')
        assert max(pose_penetration(pose, shape) for pose in poses) < 0.004
        found = hand_keypoints(poses[0].angles[None], shape) * [-1, -1, 1]
        assert np.linalg.norm((found - points[:1])[..., :2], axis=2).mean() < 0.008


def test_the_wrong_aspect_fits_worse(tool, tmp_path, hands):
    np.save(tmp_path / 'a.npy', 0.5 + hands / [16 / 9, 1, 16 / 9])
    right, wrong = (tool.main([tmp_path / 'a.npy'], tmp_path / 'o.npz', aspect=a)[0].median for a in (16 / 9, 1.0))
    assert wrong > 3 * right


def test_bad_rows_are_counted_and_named(tool, tmp_path, hands, capsys):
    odd = hands.copy()
    odd[1] = np.random.default_rng(0).normal(size=(21, 3))  # no hand at all
    odd[2], odd[4] = np.nan, 0.25
    np.save(tmp_path / 'a.npy', odd)
    write_table(tmp_path / 'b.csv', hands)
    with (tmp_path / 'b.csv').open('a') as file:
        file.write('1,2,3\n')
    with pytest.raises(ValueError, match=r'b\.csv: line 7: expected 42, as before, numbers and a label, got 3'):
        tool.main([tmp_path / 'a.npy', tmp_path / 'b.csv'], tmp_path / 'out.npz')
    assert not (tmp_path / 'out.npz').exists()
    preview = tmp_path / 'preview.png'
    tool.main([tmp_path / 'a.npy', tmp_path / 'b.csv'], tmp_path / 'out.npz', skip_malformed=True, preview=preview)
    text = capsys.readouterr().out
    assert 'a.npy: 3 kept, 1 dropped' in text and '2 without a hand (rows 2; 4)' in text
    assert 'b.csv: 6 kept, 0 dropped' in text and '1 malformed (line 7: ' in text and '9 poses in' in text
    assert cv2.imread(str(preview)).shape[1] > 1000
    with np.load(tmp_path / 'out.npz') as file:
        assert file['sources'].tolist() == [f'a.npy:{i}' for i in (0, 3, 5)] + [f'b.csv:{i}' for i in range(1, 7)]
        assert (file['residual'] < 0.06).all()


def test_every_nth_row_and_nothing_that_fits(tool, tmp_path, hands):
    np.save(tmp_path / 'a.npy', hands)
    (fit,) = tool.main([tmp_path / 'a.npy'], tmp_path / 'out.npz', every=4, sequence=True)
    assert fit.kept == 2
    with pytest.raises(ValueError, match='no row fits within a residual of 1e-09'):
        tool.main([tmp_path / 'a.npy'], tmp_path / 'none.npz', max_residual=1e-9)
    with pytest.raises(ValueError, match='got 0, 0.06 and 1'):
        tool.main([tmp_path / 'a.npy'], tmp_path / 'out.npz', every=0)
    with pytest.raises(ValueError, match=r'out: expected a file \.npz, got .*out\.npy'):
        tool.main([tmp_path / 'a.npy'], tmp_path / 'out.npy')


def test_the_command_line_reports_errors_in_one_line(tmp_path):
    command = [sys.executable, str(TOOL), str(tmp_path / 'a.npy'), '--out', str(tmp_path / 'out.npz'), '--sequence']
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode != 0 and 'Traceback' not in run.stderr
    assert run.stderr.strip().endswith(f'keypoints: expected an existing file, got {tmp_path / "a.npy"}')


def test_recorded_sets(tool, tmp_path, real_data):
    gestures, video = real_data / 'gestures', real_data / 'dex_retargeting_hand' / 'joints_3d.npz'
    table = gestures / 'open_close_pointer_ok' / 'keypoint.csv'
    for path, every, options, limit in (
        (table, 100, {}, 0.02),
        (video, 25, {}, 0.035),
        (gestures / 'asl_letters' / 'asl_AZ_21x3.npz', 300, dict(aspect=16 / 9, depth_trust=0.3), 0.04),
    ):
        (fit,) = tool.main([path], tmp_path / 'out.npz', every=every, **options)
        assert fit.median < limit and (~fit.good).sum() <= 0.15 * fit.kept, path
    with np.load(tmp_path / 'out.npz') as file:
        assert len(set(file['names'].tolist())) > 15
