"""The command that generates hands."""

import contextlib
import json
import subprocess
import sys
import time
from types import ModuleType

import cv2
import numpy as np
import psutil
import pytest
from helpers.paths import ROOT
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from handkp_plugins.synthetic.datasets import generate
from handkp_plugins.synthetic.datasets.recipe import GENERATOR_VERSION
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.poses.gestures import GESTURES

TOOL = ROOT / 'tools' / 'make_synthetic.py'


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('make_synthetic')


def test_it_says_what_it_made_and_draws_a_sheet(tool, tmp_path, capsys):
    out, preview = tmp_path / 'hands', tmp_path / 'pictures' / 'sheet.png'
    result = tool.main(out, num=10, size=64, workers=1, preview=preview)
    assert result.splits == {'train': 8, 'val': 1, 'test': 1}
    text = capsys.readouterr().out
    assert '10 images made, 0 existed already: 8 train, 1 val, 1 test' in text and str(preview) in text
    assert cv2.imread(str(preview)).shape[0] >= 64
    tool.main(out, num=10, size=64, workers=1)
    assert 'is complete already' in capsys.readouterr().out


def test_photographs_behind_the_hands(tool, tmp_path):
    (tmp_path / 'photos').mkdir()
    with pytest.raises(FileNotFoundError, match='backgrounds: .* 0 such files'):
        tool.main(tmp_path / 'hands', num=10, size=64, workers=1, backgrounds=tmp_path / 'photos')
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / 'photos' / name), np.full((40, 40, 3), 128, np.uint8))
        if name == 'a.png':
            tool.main(tmp_path / 'hands', num=10, size=64, workers=1, backgrounds=tmp_path / 'photos')
    with pytest.raises(ValueError, match='made with photographs=1, got photographs=2'):
        tool.main(tmp_path / 'hands', num=10, size=64, workers=1, backgrounds=tmp_path / 'photos')


def test_layers_are_shown_over_a_checkerboard(tool, tmp_path):
    result = tool.main(tmp_path / 'hands', num=10, size=64, workers=1, layers=True, preview=tmp_path / 'sheet.png')
    assert result.made == 10 and [p.name for p in (tmp_path / 'hands' / 'shards').iterdir()] == ['00000.zip']
    sheet = cv2.imread(str(tmp_path / 'sheet.png')).reshape(-1, 3).tolist()
    assert [120] * 3 in sheet and [200] * 3 in sheet


def test_recorded_poses_and_rigs(tool, tmp_path, monkeypatch):
    """A rig is used beside the package's own hand, and recorded poses among others."""
    fist = GESTURES['fist'].angles.astype(np.float32)
    np.savez(tmp_path / 'poses.npz', angles=np.stack([fist, fist]))
    with pytest.raises(FileNotFoundError, match='gone.gltf'):
        tool.main(tmp_path / 'hands', num=10, size=64, workers=1, rig=[tmp_path / 'gone.gltf'])
    with pytest.raises(FileNotFoundError, match='poses: .*gone.npz'):
        tool.main(tmp_path / 'hands', num=10, size=64, workers=1, poses=[tmp_path / 'gone.npz'])
    assert not (tmp_path / 'hands').exists()

    loaded = []
    monkeypatch.setattr(generate, 'load_rig', lambda path: loaded.append(path) or ProceduralHand())
    rig = tmp_path / 'a.glb'
    rig.write_bytes(b'a rig')
    tool.main(tmp_path / 'hands', num=20, size=64, workers=1, poses=[tmp_path / 'poses.npz'], rig=[rig])
    records = json.loads((tmp_path / 'hands' / 'records' / '00000.json').read_text())
    gestures = [record['annotation']['gesture'] for record in records]
    assert loaded == [rig] and 2 <= gestures.count('recorded') <= 14
    with pytest.raises(ValueError, match=r"made with rigs=\['a.glb [0-9a-f]{16}'\], got rigs=\[\]"):
        tool.main(tmp_path / 'hands', num=20, size=64, workers=1, poses=[tmp_path / 'poses.npz'])
    rig.write_bytes(b'another rig')
    with pytest.raises(ValueError, match='made with rigs='):
        tool.main(tmp_path / 'hands', num=20, size=64, workers=1, poses=[tmp_path / 'poses.npz'], rig=[rig])


def test_views_of_a_frame_are_a_row_of_the_sheet(tool, tmp_path, capsys):
    options = dict(views=2, num=3, size=64, workers=1)
    result = tool.main(tmp_path / 'views', preview=tmp_path / 'sheet.png', **options)
    assert result.made == 6 and result.splits == {'train': 2, 'val': 2, 'test': 2}
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape[:2] == (64 + 8, 2 * 64 + 12)  # gaps of 4 pixels
    assert tool.main(tmp_path / 'views', **options).made == 0
    with pytest.raises(ValueError, match='made with views=2, got views=3'):
        tool.main(tmp_path / 'views', **(options | dict(views=3)))


def test_clips_and_their_videos(tool, tmp_path, capsys):
    options = dict(video=True, num=3, size=(64, 80), frames=3, fps=25, workers=1)
    result = tool.main(tmp_path / 'clips', mp4=True, preview=tmp_path / 'sheet.png', **options)
    assert result.made == 9 and '9 images made' in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape[0] >= 80
    for clip in range(3):
        capture = cv2.VideoCapture(str(tmp_path / 'clips' / 'mp4' / f'{clip:05d}.mp4'))
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and capture.get(cv2.CAP_PROP_FPS) == 25
        assert capture.read()[1].shape == (80, 64, 3)
    assert tool.main(tmp_path / 'clips', **options).made == 0


def test_actions_resume_and_load_through_their_config(tool, tmp_path):
    out, options = tmp_path / 'actions', dict(video=True, actions=True, num=3, size=(96, 72), frames=8, workers=1)
    result = tool.main(out, preview=tmp_path / 'sheet.png', **options)
    assert result.splits == {'train': 48, 'val': 48, 'test': 48}
    meta = json.loads((out / 'meta.json').read_text())
    assert meta['version'] == GENERATOR_VERSION and meta['hands'] == 1
    labels = {path: path.read_bytes() for path in out.glob('annotations/*.json')}
    image = out / 'clips' / '00004' / '000003.jpg'
    before = image.read_bytes()
    image.unlink()
    assert tool.main(out, **options).made == 8
    assert image.read_bytes() == before and len(labels) == 3
    assert all(path.read_bytes() == text for path, text in labels.items())
    with pytest.raises(ValueError, match='made with hands=1, got hands=2'):
        tool.main(out, hands=2, **options)

    config = Config.fromfile(ROOT / 'configs' / 'htt' / 'htt_small_generated-96x72.py')
    init_default_scope('mmpose')
    dataset = DATASETS.build(dict(config.train_dataloader.dataset, data_root=str(out)))
    assert len(dataset.metainfo['classes']) == config.model.head.num_actions == 24
    assert len(dataset.metainfo['objects']) == config.model.head.num_objects == 4
    packed = dataset[0]
    assert packed['inputs'].shape[0] == 8 and packed['inputs'].shape[2:] == config.input_size[::-1]
    labels = packed['data_samples'].gt_instance_labels
    assert labels.keypoint_labels.shape == (32, 21, 3) and (labels.keypoint_weights == 1).all()


@pytest.mark.parametrize(
    'options, message',
    [
        ({'actions': True}, 'actions: expected with video only'),
        ({'hands': 2}, 'hands: expected with actions only'),
        ({'video': True, 'actions': True, 'hands': 3}, 'hands: expected 1 to 2, got 3'),
        ({'video': True, 'actions': True, 'alone': True}, 'alone: expected False with actions'),
        ({'video': True, 'actions': True, 'tapping': 3.0}, 'signs, tapping, actions: .* got tapping and actions'),
        ({'frames': 5}, 'frames: expected with video only'),
        ({'fps': 25.0}, 'fps: expected with video only'),
        ({'mp4': True}, 'mp4: expected with video only'),
        ({'signs': ['letters']}, 'signs: expected with video only'),
        ({'video': True, 'signs': ['letters', 'letter_a']}, "signs: expected two or more .*'letters letter"),
        ({'tapping': 3.0}, 'tapping: expected with video only'),
        ({'video': True, 'interval_jitter': 0.1}, 'interval_jitter: expected with tapping only'),
        ({'video': True, 'amplitude_decrement': 0.1}, 'amplitude_decrement: expected with tapping only'),
        (
            {'video': True, 'tapping': 3.0, 'signs': ['letters']},
            'signs, tapping, actions: expected one of them, got signs and tapping',
        ),
        ({'video': True, 'tapping': 9.0}, 'tapping: expected 0.2 to 7.5 taps per second'),
        ({'video': True, 'signs': ['letters', 'wave']}, "signs: expected two or more .* got 'wave'"),
        ({'size': [64, 80]}, r'size: expected one number, .* got \[64, 80\]'),
        ({'video': True, 'size': [64, 80, 3]}, r'size: expected one number, or with video .* got \[64, 80, 3\]'),
        ({'video': True, 'layers': True}, 'layers: expected False with clips'),
        ({'video': True, 'scenes': True}, 'scenes, video, views: expected one of them, got scenes and video'),
        ({'views': 2, 'scenes': True}, 'scenes, video, views: expected one of them, got scenes and views'),
        ({'views': 2, 'video': True}, 'scenes, video, views: expected one of them, got video and views'),
        ({'views': 2, 'layers': True}, 'layers: expected False with views'),
        ({'views': 0}, 'views: expected 1 to 8, got 0'),
        ({'views': 9}, 'views: expected 1 to 8, got 9'),
    ],
)
def test_options_that_do_not_go_together(tool, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        tool.main(tmp_path / 'x', num=10, **options)
    assert not (tmp_path / 'x').exists()


def test_nothing_renders_on_when_the_command_is_killed(tmp_path):
    command = [sys.executable, str(TOOL), '--out', str(tmp_path / 'hands'), '--num', '3000', '--size', '64']
    process = subprocess.Popen([*command, '--workers', '2'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    workers: list[psutil.Process] = []
    try:
        while len(list((tmp_path / 'hands' / 'images').glob('*.jpg'))) < 4:
            assert process.poll() is None
            time.sleep(0.1)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert alive == []
    finally:
        for left in (process, *workers):
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()


def test_the_command_line_reports_errors_in_one_line(tmp_path):
    run = subprocess.run(
        [sys.executable, str(TOOL), '--out', str(tmp_path / 'x'), '--num', '3'], capture_output=True, text=True
    )
    assert run.returncode != 0 and 'Traceback' not in run.stderr
    assert run.stderr.strip().endswith('num: expected 10 or more images (split 8:1:1), got 3')
