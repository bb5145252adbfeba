"""Finger tapping on series of which the taps are known."""

import json

import numpy as np
import pytest
from helpers.tapping_hand import closures, hand_at

from handkp_plugins.apps.finger_tapping.measure import Settings, measure_tapping
from handkp_plugins.apps.finger_tapping.tip_distance import distance_noise, hand_size

TIME = np.arange(301) / 30


def taps_at(rate, end=10.0):
    """As many taps at a steady rate as fit, half an interval off the ends."""
    return (0.5 + np.arange(int(end * rate + 1e-6))) / rate


def noise(shape, pixels, seed=0):
    return np.random.default_rng(seed).normal(0, pixels, shape)


def test_every_figure_of_a_steady_cosine():
    taps = taps_at(2.5)
    tapping = measure_tapping(TIME, hand_at(closures(TIME, taps)))
    assert [tap.time for tap in tapping.taps] == pytest.approx(taps.tolist(), abs=0.004)
    assert tapping.frequency == pytest.approx(2.5, rel=1e-3) and tapping.reason is None
    assert tapping.interval_median == pytest.approx(0.4, abs=0.002) and tapping.interval_cv < 0.01
    assert tapping.amplitude == pytest.approx(0.8, abs=0.02) and tapping.decrement == pytest.approx(0, abs=0.02)
    assert [tap.distance for tap in tapping.taps] == pytest.approx([0.1] * 25, abs=0.02)
    assert tapping.closing_speed == pytest.approx(0.4 * 2 * np.pi * 2.5, rel=0.03) == tapping.opening_speed
    assert tapping.hesitations == [] and tapping.warnings == [] and tapping.gaps == []
    first, second = tapping.taps[:2]
    assert first.interval is None and second.frequency == pytest.approx(2.5, rel=0.02)
    assert tapping.frame_rate == pytest.approx(30) and tapping.noise == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('rate', [0.5, 1.3, 3.0, 4.7, 6.0])
@pytest.mark.parametrize('jitter', [0.0, 2.0])
def test_rates_with_and_without_noise(rate, jitter):
    taps, points = taps_at(rate), hand_at(closures(TIME, taps_at(rate)))
    points += noise(points.shape, jitter, seed=int(10 * rate))
    points[np.random.default_rng(1).random(len(TIME)) < 0.05 * (jitter > 0)] = np.nan
    tapping = measure_tapping(TIME, points)
    assert tapping.frequency == pytest.approx(rate, rel=0.02 if jitter else 0.005)
    assert abs(len(tapping.taps) - len(taps)) <= (1 if jitter else 0)


@pytest.mark.parametrize('fps', [13.0, 25.0, 60.0, 240.0])
def test_any_frame_rate(fps):
    time = 5 + np.arange(int(10 * fps) + 1) / fps
    tapping = measure_tapping(time, hand_at(closures(time - 5, taps_at(3))))
    assert tapping.frequency == pytest.approx(3, rel=0.005) and len(tapping.taps) == 30
    assert tapping.taps[0].time == pytest.approx(5 + 1 / 6, abs=0.01)


def test_a_slow_camera_is_told():
    time = np.arange(101) / 10
    tapping = measure_tapping(time, hand_at(closures(time, taps_at(3.1))))
    assert 'with fewer than 4 frames a tap' in tapping.warnings[0]


def test_uneven_times():
    steps = np.random.default_rng(0).uniform(0.5, 1.5, 300) / 30
    time = np.concatenate([[0], np.cumsum(steps)])
    taps = taps_at(3, time[-1])
    tapping = measure_tapping(time, hand_at(closures(time, taps)))
    assert tapping.frequency == pytest.approx(3, rel=0.005) and len(tapping.taps) == len(taps)
    # as if the frames came evenly, the same taps have other times
    even = measure_tapping(TIME, hand_at(closures(time, taps)))
    assert even.interval_cv > 3 * tapping.interval_cv


def test_a_short_gap_is_bridged_and_a_long_one_is_not():
    taps, points = taps_at(2), hand_at(closures(TIME, taps_at(2)))
    points[90:93] = np.nan  # 3.0 to 3.1 s: 0.133 s between the frames beside it
    (gap,) = measure_tapping(TIME, points).gaps
    assert gap.bridged and (gap.start, gap.end) == pytest.approx((89 / 30, 93 / 30))
    assert len(measure_tapping(TIME, points).taps) == len(taps) == 20

    points[90:108] = np.nan  # to 3.6 s: the tap at 3.25 s is not seen
    tapping = measure_tapping(TIME, points)
    (gap,) = tapping.gaps
    assert not gap.bridged and len(tapping.taps) == 19
    assert [tap.time for tap in tapping.taps if tap.interval is None] == pytest.approx([0.25, 3.75], abs=0.01)
    assert tapping.frequency == pytest.approx(2, rel=0.005) and not tapping.hesitations
    assert len(tapping.pieces) == 2
    (other,) = measure_tapping(TIME, points, Settings(longest_gap=0.7)).gaps
    assert other.bridged


def test_a_closure_on_a_missing_frame_is_seen():
    taps, points = taps_at(6), hand_at(closures(TIME, taps_at(6)))
    missing = round(taps[20] * 30)  # the frame nearest to the closure; those beside it are 0.35 open
    points[missing] = np.nan
    tap = measure_tapping(TIME, points).taps[20]
    assert tap.time == pytest.approx(taps[20], abs=0.01) and tap.distance == pytest.approx(0.1, abs=0.12)


def test_a_hand_that_comes_and_goes():
    points = hand_at(closures(TIME, taps_at(2)))
    points[:60] = points[270:] = np.nan
    tapping = measure_tapping(TIME, points)
    assert [gap.bridged for gap in tapping.gaps] == [False, False] and tapping.frequency == pytest.approx(2, rel=0.005)
    assert tapping.warnings == ['the hand is known in only 70% of the frames']


@pytest.mark.parametrize('distance', [0.25, 0.6])
@pytest.mark.parametrize('jitter', [0.0, 1.0, 3.0])
def test_no_movement_gives_no_figures(jitter, distance):
    for seed in range(5):
        points = hand_at(np.full(301, distance))
        tapping = measure_tapping(TIME, points + noise(points.shape, jitter, seed))
        assert tapping.reason.startswith('not enough movement') and tapping.taps == []
        assert tapping.frequency is tapping.amplitude is tapping.decrement is tapping.interval_cv is None
        assert tapping.noise == pytest.approx(jitter * np.sqrt(2) / 100, rel=0.25)


def test_too_few_frames():
    points = hand_at(closures(TIME, taps_at(2)))
    points[5:] = np.nan
    assert measure_tapping(TIME, points).reason == 'the hand is known in 5 of 301 frames: too few'
    points[:] = np.nan
    assert 'in 0 of 301' in measure_tapping(TIME, points).reason


def test_one_tap_has_no_frequency():
    distance = 0.9 - 0.8 * np.exp(-(((TIME - 4) / 0.15) ** 2))
    tapping = measure_tapping(TIME, hand_at(distance))
    assert [tap.time for tap in tapping.taps] == pytest.approx([4.0], abs=0.01)
    assert tapping.frequency is None and tapping.reason == 'one tap: a frequency needs two taps in a row'
    assert tapping.amplitude == pytest.approx(0.8, abs=0.05)


def test_tips_that_do_not_close_are_told_apart():
    taps, points = taps_at(2), hand_at(closures(TIME, taps_at(2), closed=0.5))
    tapping = measure_tapping(TIME, points)
    assert tapping.taps == [] and tapping.reason.startswith('not enough movement')
    assert tapping.warnings == ['20 times the tips approached, but not to 0.4 hand sizes: not counted']
    assert len(measure_tapping(TIME, points, Settings(closed=0.6)).taps) == len(taps)


def test_amplitude_that_falls():
    taps = taps_at(3)
    heights = np.concatenate([[0.8], np.linspace(0.8, 0.4, 30)])  # before tap 1, 2, …, 30 and after it
    tapping = measure_tapping(TIME, hand_at(closures(TIME, taps, heights)))
    line = np.concatenate([[0.8], np.linspace(0.8, 0.4, 30)])[:30]
    assert [tap.amplitude for tap in tapping.taps] == pytest.approx(line.tolist(), abs=0.02)
    slope = 0.4 / 29
    assert tapping.decrement_per_tap == pytest.approx(slope / (0.8 + slope), rel=0.05)
    assert tapping.decrement == pytest.approx(29 * slope / (0.8 + slope), rel=0.05)


def test_a_hesitation_and_the_rhythm():
    intervals = np.array([0.4, 0.38, 0.42] * 3 + [0.9] + [0.4, 0.38, 0.42] * 3)
    taps = 0.5 + np.concatenate([[0], np.cumsum(intervals)])
    tapping = measure_tapping(TIME, hand_at(closures(TIME, taps)))
    (late,) = tapping.hesitations
    assert late.interval == pytest.approx(0.9, abs=0.05) and late.time == pytest.approx(taps[10], abs=0.05)
    assert tapping.interval_cv == pytest.approx(intervals.std(ddof=1) / intervals.mean(), rel=0.1)
    assert tapping.frequency == pytest.approx(1 / intervals.mean(), rel=0.005)
    assert not measure_tapping(TIME, hand_at(closures(TIME, taps)), Settings(hesitation=2.6)).hesitations


def test_nothing_is_found_while_the_hand_is_held_open():
    found = []
    for seed in range(10):
        taps = taps_at(4, 5.0)
        points = hand_at(closures(TIME, taps, 0.6))
        found.append(len(measure_tapping(TIME, points + noise(points.shape, 3.0, seed)).taps) - len(taps))
    assert np.abs(found).max() <= 1 and np.abs(found).sum() <= 2


def test_a_hand_that_comes_nearer_keeps_its_amplitude():
    tapping = measure_tapping(TIME, hand_at(closures(TIME, taps_at(3)), np.linspace(1, 2, 301)))
    assert tapping.decrement == pytest.approx(0, abs=0.03) and tapping.amplitude == pytest.approx(0.8, rel=0.05)


def test_the_size_of_a_hand_that_nods_is_that_of_its_breadth():
    points = hand_at(np.full(301, 0.5))
    points[..., 1] *= 0.5  # its length looks half as long
    breadth = np.hypot(58, 2.5)
    assert hand_size(TIME, points) == pytest.approx(np.full(301, 1.5 * breadth))
    points[100, 9] += 500  # one wrong keypoint
    assert hand_size(TIME, points) == pytest.approx(np.full(301, 1.5 * breadth))


def test_noise_is_that_of_the_palm_and_not_of_the_tapping():
    points = hand_at(closures(TIME, taps_at(6)))
    assert distance_noise(TIME, points, np.full(301, 100.0)) == pytest.approx(0, abs=1e-9)
    shaken = points + noise(points.shape, 2.0)
    assert distance_noise(TIME, shaken, np.full(301, 100.0)) == pytest.approx(0.02 * np.sqrt(2), rel=0.15)


def test_three_dimensions():
    points = hand_at(closures(TIME, taps_at(3))) / 1000
    turned = np.concatenate([points[..., :1], np.zeros_like(points[..., :1]), points[..., 1:]], axis=-1)
    assert measure_tapping(TIME, turned).frequency == pytest.approx(3, rel=0.005)


def test_everything_goes_into_json():
    points = hand_at(closures(TIME, taps_at(2)))
    points[90:108] = np.nan
    document = json.loads(json.dumps(measure_tapping(TIME, points).as_dict(), allow_nan=False))
    assert document['count'] == 19 and document['used_frames'] == 283 and document['hesitations'] == 0
    assert document['gaps'][0]['bridged'] is False and document['settings']['longest_gap'] == 0.15
    assert document['taps'][1]['interval'] == pytest.approx(0.5, abs=0.01)
    still = measure_tapping(TIME, hand_at(np.full(301, 0.5))).as_dict()
    assert json.loads(json.dumps(still, allow_nan=False))['frequency'] is None


@pytest.mark.parametrize(
    ('time', 'shape', 'message'),
    [
        ([0.0], (1, 21, 2), r'expected .*, N from 2 on, got \(1,\)'),
        ([0, 1], (3, 21, 2), r'got \(2,\), \(3, 21, 2\)'),
        ([0, 1], (2, 20, 2), r'got \(2,\), \(2, 20, 2\)'),
        ([0, 1, 1], (3, 21, 2), r'time: expected rising seconds, got 1, then 1 \(frame 2\)'),
        ([0, np.nan, 1], (3, 21, 2), 'time: expected rising seconds, got 0, then nan'),
    ],
)
def test_wrong_shapes_and_times(time, shape, message):
    with pytest.raises(ValueError, match=message):
        measure_tapping(np.array(time), np.zeros(shape))


@pytest.mark.parametrize(
    'name, value', [('longest_gap', 0), ('least_amplitude', -1), ('closed', np.nan), ('hesitation', 1.0)]
)
def test_settings_out_of_range(name, value):
    with pytest.raises(ValueError, match=f'{name}: expected a number above [01], got {value}'):
        Settings(**{name: value})
