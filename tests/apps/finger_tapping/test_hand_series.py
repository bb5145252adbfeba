"""Reading one hand from keypoints.json and from COCO files."""

import json

import numpy as np
import pytest
from helpers.tapping_hand import hand_at

from handkp_plugins.apps.finger_tapping.hand_series import read_hand
from handkp_plugins.apps.finger_tapping.tip_distance import KEYPOINTS


def instance(points, score=0.9, **more):
    low, high = points.min(0), points.max(0)
    return dict(bbox=[*low, *(high - low)], keypoints=points.tolist(), scores=[score] * 21, **more)


def demo_file(path, frames, **changes):
    """keypoints.json with the instances of each frame."""
    items = [dict(frame=i, time=i / 30, file='a.mp4', instances=own) for i, own in enumerate(frames)]
    path.write_text(json.dumps(dict(version=1, complete=True, items=items, skipped=[]) | changes))
    return path


def coco_file(path, clips, fps=30, **info):
    """Clips of (21, 2) keypoints, None for a frame without a hand."""
    images, annotations = [], []
    for clip, frames in clips.items():
        for i, points in enumerate(frames):
            images.append(dict(id=len(images), video_id=clip, frame_id=i, file_name=f'{clip}/{i}.jpg'))
            if points is not None:
                keypoints = np.column_stack([points, np.full(21, 2)]).ravel().tolist()
                annotations.append(dict(id=len(annotations), image_id=len(images) - 1, keypoints=keypoints))
    info = dict(fps=fps) | info
    path.write_text(json.dumps(dict(info=info, images=images, annotations=annotations)))
    return path


@pytest.fixture
def two(tmp_path):
    """A hand that goes to the right in ten frames, and another that stands there in seven, listed first or last."""
    one, other = hand_at(np.full(10, 0.5)), hand_at(np.full(10, 0.8)) + [400, 0]
    one[..., 0] += 20 * np.arange(10)[:, None]
    frames = [[instance(one[i])] for i in range(10)]
    for i in range(2, 9):
        frames[i].insert(i % 2, instance(other[i], score=0.4))
    return one, other, demo_file(tmp_path / 'keypoints.json', frames)


def test_hands_are_followed_by_their_place(two):
    one, other, path = two
    series = read_hand(path)
    assert series.hand == '0' and series.hands == {'0': 10, '1': 7}
    assert series.keypoints == pytest.approx(one) and series.time == pytest.approx(np.arange(10) / 30)
    second = read_hand(path, hand='1')
    assert np.isnan(second.keypoints[[0, 1, 9]]).all() and second.keypoints[2:9] == pytest.approx(other[2:9])
    assert np.isnan(second.with_score(0.5, KEYPOINTS)).all() and (second.scores[0] == 0).all()
    assert np.isfinite(second.with_score(0.3, KEYPOINTS)[2:9]).all()
    with pytest.raises(ValueError, match="keypoints.json: hand: expected one of 0, 1, got '2'"):
        read_hand(path, hand='2')


def test_a_hand_that_was_lost_for_long_is_another(tmp_path):
    points = instance(hand_at(np.array([0.5]))[0])
    frames = [[points]] * 5 + [[]] * 20 + [[points]] * 6
    assert read_hand(demo_file(tmp_path / 'a.json', frames)).hands == {'0': 11}
    frames = [[points]] * 5 + [[]] * 40 + [[points]] * 6
    series = read_hand(demo_file(tmp_path / 'a.json', frames))
    assert series.hands == {'0': 5, '1': 6} and series.hand == '1'


def test_a_hand_elsewhere_is_another_and_one_that_went_on_is_not(tmp_path):
    here = hand_at(np.array([0.5]))[0]
    for way, hands in ((80, {'0': 8}), (120, {'0': 4, '1': 4})):  # keypoints over 200 px; steps up to half of that
        frames = [[instance(here)]] * 4 + [[instance(here + [way, 0])]] * 4
        assert read_hand(demo_file(tmp_path / 'a.json', frames)).hands == hands


def test_tracks_tell_which_hand_is_which(tmp_path):
    one, other = instance(hand_at(np.array([0.5]))[0]), instance(hand_at(np.array([0.8]))[0] + 300)
    frames = [[one | {'track': 7}, other | {'track': 3}], [other | {'track': 7}], [one | {'track': 7}]]
    series = read_hand(demo_file(tmp_path / 'a.json', frames))
    assert series.hands == {'7': 3, '3': 1} and series.hand == '7'
    assert series.keypoints[1] == pytest.approx(np.array(other['keypoints']))
    with pytest.raises(ValueError, match='frame 1, instance 0: expected a track'):
        read_hand(demo_file(tmp_path / 'a.json', [*frames[:1], [other]]))
    with pytest.raises(ValueError, match='frame 0: expected one instance of track 7, got two'):
        read_hand(demo_file(tmp_path / 'a.json', [[one | {'track': 7}] * 2, []]))


def test_keypoints_before_smoothing_are_taken(tmp_path):
    points = hand_at(np.array([0.5]))[0]
    frames = [[instance(points + 9, raw_keypoints=points.tolist())]] * 3
    assert read_hand(demo_file(tmp_path / 'a.json', frames)).keypoints == pytest.approx(np.stack([points] * 3))


def test_times_and_frame_rates(tmp_path):
    points = instance(hand_at(np.array([0.5]))[0])
    path = demo_file(tmp_path / 'a.json', [[points]] * 4, complete=False)
    assert read_hand(path, fps=120).time == pytest.approx(np.arange(4) / 120) and not read_hand(path).complete
    images = json.loads(path.read_text())
    for item in images['items']:
        del item['frame'], item['time']
    path.write_text(json.dumps(images))
    with pytest.raises(ValueError, match='item 0: time: expected seconds, got none; --fps gives the frame rate'):
        read_hand(path)
    assert read_hand(path, fps=10).time == pytest.approx([0, 0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match='fps: expected a number above 0, got 0'):
        read_hand(path, fps=0)


def test_annotations_of_a_clip(tmp_path):
    clips = {0: list(hand_at(np.full(5, 0.5))), 4: [*hand_at(np.full(3, 0.8)), None]}
    path = coco_file(tmp_path / 'test.json', clips, fps=25)
    series = read_hand(path, clip='4')
    assert series.time == pytest.approx(np.arange(4) / 25) and np.isnan(series.keypoints[3]).all()
    assert series.keypoints[:3] == pytest.approx(hand_at(np.full(3, 0.8)))
    with pytest.raises(ValueError, match='clip: expected a video_id, one of 0, 4, got none'):
        read_hand(path)
    with pytest.raises(ValueError, match="clip: .* got '5'"):
        read_hand(path, clip='5')
    with pytest.raises(ValueError, match="expected the frame rate, as fps in 'info' or by --fps"):
        read_hand(coco_file(tmp_path / 'b.json', {0: clips[0]}, fps=None))


def broken(key, value, item=1, inner=None):
    def change(document):
        place = document['items'][item]
        (place['instances'][0] if inner else place)[key] = value

    return change


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda d: d.update(version=2), 'version 1, got 2'),
        (lambda d: d.pop('items'), "with a list 'items', or a COCO file, got an object of"),
        (lambda d: d.update(items=[]), 'expected two items or more, frames of a video, got 0'),
        (broken('instances', None), "item 1: expected an object with a list 'instances', got"),
        (broken('time', 'late'), "item 1: time: expected finite seconds, got 'late'"),
        (broken('time', 0.0), r'frame 1: time: expected seconds after 0, .*, got 0; --fps'),
        (broken('frame', 1.5), 'item 1: frame: expected an integer, got 1.5'),
        (
            broken('keypoints', [[1, 2]], inner=True),
            r'item 1 \(frame 1\), instance 0: keypoints: expected finite',
        ),
        (broken('scores', ['a'] * 21, inner=True), r'instance 0: scores: expected finite numbers \(21,\)'),
        (broken('track', [1], inner=True), r'instance 0: track: expected a number or name, got \[1\]'),
        (
            lambda d: d['items'][1]['instances'][0].pop('keypoints'),
            'instance 0: keypoints: expected finite numbers .*, got None',
        ),
        (lambda d: [i.update(instances=[]) for i in d['items']], 'no hand in any of its 3 frames'),
    ],
)
def test_files_of_another_form(tmp_path, change, message):
    path = demo_file(tmp_path / 'keypoints.json', [[instance(hand_at(np.array([0.5]))[0])] for _ in range(3)])
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=f'keypoints.json: .*{message}'):
        read_hand(path)


def test_no_file_or_no_json(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.json: no such file'):
        read_hand(tmp_path / 'gone.json')
    for text, message in (('', 'got an empty file'), ('{', 'does not parse'), ('[]', 'got a list')):
        (tmp_path / 'a.json').write_text(text)
        with pytest.raises(ValueError, match=f'a.json: expected keypoints.json of tools/demo.py.* {message}'):
            read_hand(tmp_path / 'a.json')
    with pytest.raises(ValueError, match='clip: expected with a COCO file only'):
        read_hand(demo_file(tmp_path / 'a.json', [[]] * 2), clip='0')
