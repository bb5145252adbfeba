import logging

import numpy as np
import pytest
from helpers.keypoint_sample import keypoint_sample
from mmpose.registry import METRICS

from handkp_plugins.evaluation.functional.distances import acceleration_errors
from handkp_plugins.evaluation.metrics import acceleration


def track(*xs: float) -> np.ndarray:
    """One keypoint that moves along x, (F, 1, 2)."""
    return np.array([[[x, 5.0]] for x in xs])


def errors(predicted: np.ndarray, truth: np.ndarray, frames: list[int], labelled: np.ndarray | None = None) -> list:
    labelled = np.ones(truth.shape[:2]) if labelled is None else labelled
    return acceleration_errors(predicted, truth, labelled, np.array(frames)).tolist()


def test_by_hand():
    # the truth rests; second differences of 0 1 4 9 are 2 and 2; an offset or a drift does not count
    rest = track(0, 0, 0, 0)
    assert errors(track(0, 1, 4, 9), rest, [0, 1, 2, 3]) == [2, 2]
    assert errors(track(7, 8, 9, 10), rest, [0, 1, 2, 3]) == [0, 0]
    # a jump of 3 in one frame: 3, -6, 3
    assert errors(track(0, 0, 3, 0, 0), track(0, 0, 0, 0, 0), [4, 5, 6, 7, 8]) == [3, 6, 3]
    # in both directions: (3, 4) is 5 long
    predicted = rest.copy()
    predicted[1] += [3, 4]
    assert errors(predicted, rest, [0, 1, 2, 3]) == [10, 5]


def test_frames_in_any_order():
    predicted, rest = track(4, 0, 9, 1), track(0, 0, 0, 0)
    assert errors(predicted, rest, [2, 0, 3, 1]) == [2, 2]


def test_a_gap_breaks_the_triples_over_it():
    rest = track(*[0] * 6)
    assert errors(track(0, 1, 4, 99, 99, 99), rest, [0, 1, 2, 4, 5, 6]) == [2, 0]
    assert errors(track(0, 1, 4, 9, 5, 5), rest, [0, 1, 3, 4, 6, 8]) == []


def test_an_unlabelled_keypoint_breaks_its_own_triples_only():
    truth = np.zeros((5, 2, 2))
    predicted = truth.copy()
    predicted[:, 0, 0] = [0, 1, 4, 9, 16]
    labelled = np.ones((5, 2))
    labelled[4, 0] = 0
    assert errors(predicted, truth, [0, 1, 2, 3, 4], labelled) == [2, 0, 2, 0, 0]
    labelled[2, 0] = 0
    assert errors(predicted, truth, [0, 1, 2, 3, 4], labelled) == [0, 0, 0]


@pytest.mark.parametrize('count', [0, 1, 2])
def test_under_three_frames_there_is_nothing(count: int):
    assert errors(np.zeros((count, 3, 2)), np.zeros((count, 3, 2)), list(range(count))) == []


def test_a_frame_given_twice():
    with pytest.raises(ValueError, match='frames: expected each index once, got 5 twice'):
        errors(track(0, 0, 0), track(0, 0, 0), [5, 4, 5])


def make_sample(video: int | str, frame: int, x: float) -> dict:
    """A keypoint that rests and is predicted x pixels beside the truth."""
    return keypoint_sample([x], [1], video_id=video, frame_id=frame)


def evaluate(samples: list[dict]) -> dict[str, float]:
    metric = METRICS.build(dict(type='AccelerationError'))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_videos_are_not_mixed(monkeypatch: pytest.MonkeyPatch):
    """'a' accelerates by 2 in 2 triples, 1 by 8 in one; 'b' has two frames, and 'c' three with a gap."""
    samples = [make_sample('a', i, i**2) for i in range(4)]
    samples += [make_sample(1, i, 4 * i**2) for i in range(3)]
    samples += [make_sample('b', i, 50 * i**2) for i in range(2)]
    samples += [make_sample('c', i, 50 * i**2) for i in (0, 1, 3)]
    np.random.default_rng(0).shuffle(samples)
    told = []
    monkeypatch.setattr(acceleration, 'print_log', lambda text, **kwargs: told.append((text, kwargs['level'])))
    expected = dict(acceleration_error=4, acceleration_of_truth=0, acceleration_terms=3, acceleration_skipped_videos=2)
    assert evaluate(samples) == expected
    ((text, level),) = told
    assert level == logging.WARNING
    assert 'skipped 2 of 4 videos' in text and "'b' (2 frames)" in text and "'c' (3 frames)" in text


def test_the_acceleration_of_the_truth_is_the_error_of_standing_still():
    samples = [make_sample('a', i, 0) for i in range(4)]
    for i, sample in enumerate(samples):
        sample['gt_instances']['keypoints'][..., 0] = i**2
    scores = evaluate(samples)
    assert scores['acceleration_of_truth'] == scores['acceleration_error'] == 2


def test_no_triple_at_all_is_nan():
    scores = evaluate([make_sample(0, 0, 0)])
    assert np.isnan([scores['acceleration_error'], scores['acceleration_of_truth']]).all()
    assert scores['acceleration_terms'] == 0


def test_errors_name_the_video():
    with pytest.raises(ValueError, match="video 'a': frames: expected each index once, got 1 twice"):
        evaluate([make_sample('a', i, 0) for i in (0, 1, 1)])
    plain = {k: v for k, v in make_sample(0, 0, 0).items() if k != 'frame_id'}
    with pytest.raises(ValueError, match='expected samples with video_id and frame_id.*got x.jpg without'):
        evaluate([dict(plain, img_path='x.jpg')])
    double = make_sample('a', 3, 0)
    double['pred_instances'] = dict(keypoints=np.zeros((2, 1, 2)))
    double['gt_instances'] = dict(keypoints=np.zeros((2, 1, 2)), keypoints_visible=np.ones((2, 1)))
    with pytest.raises(ValueError, match="expected one hand a frame, got 2 in frame 3 of video 'a'"):
        evaluate([double])
