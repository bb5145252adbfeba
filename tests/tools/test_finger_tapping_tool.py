"""The command that measures finger tapping, and the one that checks it."""

import csv
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from helpers.tapping_hand import closures, hand_at
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import TOOLS, load_tool

from handkp_plugins.apps.finger_tapping.measure import Settings

TAPS = np.arange(0.25, 5, 0.5)


@pytest.fixture(scope='module')
def tool():
    return load_tool('finger_tapping')


def write_keypoints(path, points, score=0.9):
    """keypoints.json of a hand (N, 21, 2) at 30 frames a second; NaN for frames without it."""
    items = [
        dict(
            frame=i,
            time=i / 30,
            instances=[dict(keypoints=p.tolist(), scores=[score] * 21)] * int(not np.isnan(p).any()),
        )
        for i, p in enumerate(points)
    ]
    path.write_text(json.dumps(dict(version=1, complete=True, items=items, skipped=[])))
    return path


def tapping_points():
    points = hand_at(closures(np.arange(151) / 30, TAPS))
    points[60:75] = np.nan  # 2.0 to 2.5 s: the tap at 2.25 s
    return points


def read_csv(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_it_writes_everything_and_says_it(tool, tmp_path, capsys):
    document = tool.main(write_keypoints(tmp_path / 'keypoints.json', tapping_points()), tmp_path / 'out')
    assert document == json.loads((tmp_path / 'out' / 'tapping.json').read_text())
    assert document['version'] == 1 and document['hand'] == '0' and document['hands'] == {'0': 136}
    assert document['count'] == 9 and document['frequency'] == pytest.approx(2, rel=0.005)
    assert document['frames'] == 151 and document['used_frames'] == 136 and 'no medical device' in document['note']

    taps = read_csv(tmp_path / 'out' / 'taps.csv')
    assert [float(t['time']) for t in taps] == pytest.approx(np.delete(TAPS, 4).tolist(), abs=0.01)
    assert [t['tap'] for t in taps] == list(map(str, range(1, 10))) and taps[0]['interval'] == taps[4]['interval'] == ''
    assert float(taps[1]['amplitude']) == pytest.approx(0.8, abs=0.02) and taps[1]['hesitation'] == '0'
    frames = read_csv(tmp_path / 'out' / 'distance.csv')
    assert len(frames) == 151 and frames[60]['distance'] == '' and frames[60]['time'] == '2'
    assert float(frames[15]['distance']) == pytest.approx(0.9, abs=1e-3) and float(frames[0]['hand_size']) == 100

    page = cv2.imread(str(tmp_path / 'out' / 'tapping.png'))
    assert page.shape[1] > 1000 and (page != 255).any(2).mean() > 0.01
    text = capsys.readouterr().out
    assert 'taps: 9' in text and 'frequency: 2.00' in text and 'hesitations: 0' in text
    assert 'gaps: 1, 0 of them bridged; not from 1.97 to 2.50 s' in text and 'no medical device' in text


def test_too_little_movement_is_said_and_drawn(tool, tmp_path, capsys):
    still = write_keypoints(tmp_path / 'keypoints.json', hand_at(np.full(90, 0.5)))
    document = tool.main(still, tmp_path / 'out')
    assert document['count'] == 0 and document['frequency'] is None
    out = capsys.readouterr().out
    assert 'not enough movement' in out and 'frequency:' not in out
    assert len(read_csv(tmp_path / 'out' / 'taps.csv')) == 0 and (tmp_path / 'out' / 'tapping.png').is_file()


def test_low_scores_and_settings(tool, tmp_path):
    path = write_keypoints(tmp_path / 'keypoints.json', tapping_points(), score=0.2)
    assert 'in 0 of 151 frames' in tool.main(path, tmp_path / 'out', score_thr=0.3)['reason']
    document = tool.main(path, tmp_path / 'out', fps=60, settings=Settings(longest_gap=0.7))
    assert document['frequency'] == pytest.approx(4, rel=0.2) and document['gaps'][0]['bridged']


def test_the_arguments_of_the_command_line(tool):
    arguments = tool.parse_args(['a.mp4', '--bbox', '1', '2', '3', '4', '--hand', '2', '--closed', '0.5', '--tta'])
    assert arguments['demo_options'] == ['--bbox', '1', '2', '3', '4', '--tta'] and arguments['hand'] == '2'
    assert arguments['settings'] == Settings(longest_gap=0.15, least_amplitude=0.05, closed=0.5, hesitation=1.5)


def test_a_video_goes_through_the_demo(tool, tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / 'a.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 20, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(9):
        writer.write(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    writer.release()
    options = ['--whole-image', '--device', 'cpu', '--pose', *map(str, write_tiny_model(tmp_path))]
    document = tool.main(tmp_path / 'a.avi', tmp_path / 'out', demo_options=options, score_thr=0)
    assert document['frames'] == 9 and document['frame_rate'] == pytest.approx(20)
    assert document['source'] == str(tmp_path / 'out' / 'demo' / 'keypoints.json')
    assert len(json.loads((tmp_path / 'out' / 'demo' / 'keypoints.json').read_text())['items']) == 9
    with pytest.raises(ValueError, match='expected one of --bbox .* or --whole-image, got 2'):
        tool.main(tmp_path / 'a.avi', tmp_path / 'out', demo_options=[*options, '--bbox', '0', '0', '9', '9'])
    with pytest.raises(ValueError, match='no hand in any of its 9 frames'):  # nor does the detector find one in noise
        tool.main(tmp_path / 'a.avi', tmp_path / 'out', demo_options=options[1:])


@pytest.mark.parametrize(
    ('name', 'text', 'options', 'message'),
    [
        ('gone.json', None, {}, 'gone.json: no such'),
        ('gone.mp4', None, {'demo_options': ['--whole-image']}, 'gone.mp4: no such file'),
        ('a.json', 'no json', {}, 'a.json: .* does not parse'),
        ('a.json', '{"version": 3, "items": []}', {}, 'a.json: expected version 1, got 3'),
        ('a.txt', '', {}, 'a.txt: expected a video .* or a .json file of keypoints'),
        (
            'a.json',
            '{}',
            {'demo_options': ['--tta']},
            '--tta: expected an option of tools/demo.py with a video only, got .*a.json',
        ),
        ('a.json', '{}', {'score_thr': 2}, '--keypoint-score: expected 0 to 1, got 2'),
    ],
)
def test_bad_files_and_options(tool, tmp_path, name, text, options, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        tool.main(tmp_path / name, tmp_path / 'out', **options)
    assert not (tmp_path / 'out' / 'tapping.json').exists()


def test_a_video_without_a_hand(tool, tmp_path):
    path = write_keypoints(tmp_path / 'keypoints.json', np.full((5, 21, 2), np.nan))
    with pytest.raises(ValueError, match='keypoints.json: no hand in any of its 5 frames'):
        tool.main(path, tmp_path / 'out')


def test_errors_on_the_command_line_are_one_line(tmp_path):
    (tmp_path / 'a.json').write_text('{"version": 1, "items": [{"frame": 0, "time": 0}, {}]}')
    run = subprocess.run(
        [sys.executable, str(TOOLS / 'finger_tapping.py'), str(tmp_path / 'a.json')], capture_output=True, text=True
    )
    assert run.returncode == 1 and 'Traceback' not in run.stderr
    assert "a.json: item 0: expected an object with a list 'instances', got" in run.stderr.strip().splitlines()[-1]


# --- the benchmark

benchmark = load_tool('analysis/tapping_benchmark')


def test_true_keypoints_are_measured_exactly(tmp_path, capsys):
    rows = benchmark.main(rates=[2.0], clips=3, seconds=6, size=128, json_file=tmp_path / 'a.json')
    assert rows == json.loads((tmp_path / 'a.json').read_text()) and len(rows) == 2 * 2 * 3
    for row in rows:
        assert row['frequency_error'] < (0.002 if row['series'] == 'true' else 0.05)
        assert row['taps'] == 12 and abs(row['count'] - 12) <= (0 if row['series'] == 'true' else 1)
    lost = [r['decrement'] for r in rows if r['series'] == 'true' and r['kind'] != 'steady']
    assert 0.2 < np.mean(lost) < 0.6
    assert '| steady | 2 | true | 3 | 0.' in capsys.readouterr().out


def test_a_network_on_rendered_clips(tmp_path, capsys):
    config, checkpoint = write_tiny_model(tmp_path)
    options = dict(data=tmp_path / 'data', rates=[5.0], clips=3, seconds=0.5, size=64, workers=1, device='cpu')
    rows = benchmark.main(config, checkpoint, **options)
    assert [row['taps'] for row in rows] == [2] * 3 and all(row['tip_error'] > 0 for row in rows)
    coco = json.loads((tmp_path / 'data' / '5' / 'annotations' / 'test.json').read_text())
    (video,) = coco['videos']
    assert {image['video_id'] for image in coco['images']} == {video['id']} and len(video['tap_times']) == 2
    assert {annotation['gesture'] for annotation in coco['annotations']} == {'tapping'}
    assert capsys.readouterr().out.count('| 5 | ') == 3
    with pytest.raises(
        ValueError, match=r'network: expected NAME of shipped weights .*, or CONFIG and CHECKPOINT, got \S+\.py'
    ):
        benchmark.main(config)
