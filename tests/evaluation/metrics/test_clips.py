"""Metrics of clips by hand; each frame of a video counts once, whatever the processes padded."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmpose.registry import METRICS

from handkp_plugins.evaluation.metrics import ClipActionMetric, ClipObjectMetric, HandPose3DMetric

OFF = 10 / 1024
MM = 1000 * OFF


def sample(video: int = 0, first: int = 0, valid: int = 3, hands: int = 1, seed: int = 0, **more: object) -> dict:
    """A clip of 4 frames, all joints 10/1024 m off, whose numbers are exact in binary; alike for each seed."""
    rng = np.random.default_rng([video, first, seed])
    truth = rng.integers(300, 600, (4, 21 * hands, 3)) / 1024
    frames = np.minimum(first + 2 * np.arange(4), first + 2 * (valid - 1))
    return (
        dict(
            video_id=video,
            frame_id=frames,
            frame_valid=np.arange(4) < valid,
            action=1,
            object=2,
            gt_instances=dict(keypoints=truth, keypoints_visible=np.ones((4, 21 * hands))),
            pred_instances=dict(keypoints_3d=truth + [OFF, 0, 0], object_scores=rng.dirichlet(np.ones(3), 4)),
            pred_action_scores=rng.dirichlet(np.ones(3)),
        )
        | more
    )


def score(kind: str, samples: list[dict], **arguments: object) -> dict[str, float]:
    metric = METRICS.build(dict(type=kind, **arguments))
    metric.process({}, samples)
    return metric.compute_metrics(metric.results)


def test_pose_by_hand(tmp_path: Path) -> None:
    """9.77 mm everywhere, in one direction, so that nothing is left with aligned wrists."""
    scores = score('HandPose3DMetric', [sample()], curve_file=str(tmp_path / 'curves' / 'fpha.json'))
    assert scores == pytest.approx({'AUC': 0.890625, 'MEPE': MM, 'AUC-RA': 1, 'MEPE-RA': 0})
    curves = json.loads((tmp_path / 'curves' / 'fpha.json').read_text())
    assert len(curves['thresholds']) == len(curves['PCK']['right']) == 33 and curves['PCK']['right'][4] == 1
    assert len(curves['thresholds-RA']) == len(curves['PCK-RA']['right']) == 21


def test_each_hand_by_itself() -> None:
    data = sample(hands=2)
    data['pred_instances']['keypoints_3d'][:, :21] += [OFF, 0, 0]  # twice as far for the left hand
    data['gt_instances']['keypoints_visible'][1, :21] = 0
    data['pred_instances']['keypoints_3d'][1, :21] += 9
    scores = score('HandPose3DMetric', [data], hands=('left', 'right'), max_distance=90)
    assert scores['MEPE/left'] == pytest.approx(2 * MM) and scores['MEPE/right'] == pytest.approx(MM)
    assert scores['AUC/left'] == pytest.approx((70 + 1.25) / 90) and scores['AUC/right'] == pytest.approx(81.25 / 90)
    assert len(scores) == 8


def test_occluded_and_visible_joints_apart() -> None:
    """Joint 5 is twice as far off, and occluded in two frames; in the others it counts as visible."""
    data = sample(valid=4)
    occluded = np.zeros((4, 21), bool)
    occluded[:2, 5] = True
    data['pred_instances']['keypoints_3d'][:2, 5, 0] += OFF
    scores = score('HandPose3DMetric', [dict(data, keypoints_occluded=occluded)], occlusion=True)
    assert scores['MEPE/occluded'] == pytest.approx(2 * MM) and scores['MEPE/visible'] == pytest.approx(MM)
    assert scores['MEPE-RA/occluded'] == pytest.approx(MM) and scores['MEPE-RA/visible'] == 0
    assert scores['MEPE'] == pytest.approx(MM * (20 + 1.5) / 21)
    with pytest.raises(ValueError, match='occlusion: expected data that tells occluded joints .*, got none'):
        score('HandPose3DMetric', [data], occlusion=True)


def test_a_hand_that_is_never_seen_has_no_score() -> None:
    data = sample(hands=2)
    data['gt_instances']['keypoints_visible'][:, :21] = 0
    scores = score('HandPose3DMetric', [data], hands=('left', 'right'))
    assert np.isnan(scores['MEPE/left']) and scores['MEPE/right'] == pytest.approx(MM)


def test_padded_frames_count_nowhere() -> None:
    data = sample(valid=2)
    data['pred_instances']['keypoints_3d'][2:] += 1
    data['pred_instances']['object_scores'][:] = [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert score('HandPose3DMetric', [data])['MEPE'] == pytest.approx(MM)
    assert score('ClipObjectMetric', [data]) == dict(object_accuracy=0.5)


def test_actions_are_summed_over_a_videos_clips() -> None:
    """Probabilities (.6, .4, 0) and (0, .45, .55) are class 1; the second video is wrong."""
    clips = [
        sample(0, 0, pred_action_scores=np.array([0.6, 0.4, 0])),
        sample(1, 0, pred_action_scores=np.array([0.9, 0.1, 0])),
        sample(0, 1, pred_action_scores=np.array([0, 0.45, 0.55])),
    ]
    assert score('ClipActionMetric', clips) == dict(action_accuracy=0.5, action_mean_recall=0.5)
    assert score('ClipActionMetric', clips[::2]) == dict(action_accuracy=1, action_mean_recall=1)


@pytest.mark.parametrize('size', [1, 2, 13])
@pytest.mark.parametrize('processes', [2, 3])
@pytest.mark.parametrize('kind', [HandPose3DMetric, ClipActionMetric, ClipObjectMetric])
def test_clips_that_processes_padded_count_once(size: int, processes: int, kind: type) -> None:
    """Shares of equal size, as a sampler deals them out, put together with and without what it padded."""
    clips = [sample(video=i // 3, first=100 * (i % 3), seed=i) for i in range(size)]
    for i, clip in enumerate(clips):
        clip['pred_instances']['keypoints_3d'] *= 1 + i / 1000
        clip['action'] = clip['video_id'] % 3
    alone = score(kind.__name__, clips)
    padded = [clips[i % size] for i in range(-(-size // processes) * processes)]
    dealt = [padded[rank::processes] for rank in range(processes)]
    assert score(kind.__name__, padded) == pytest.approx(alone)
    assert score(kind.__name__, [clip for share in dealt for clip in share]) == pytest.approx(alone)


def test_confusion_of_actions_is_written(tmp_path: Path) -> None:
    metric = ClipActionMetric(json_file=str(tmp_path / 'actions.json'))
    metric.dataset_meta = dict(classes=('lift', 'lower', 'turn'))
    metric.process({}, [sample(pred_action_scores=np.array([1, 0, 0]))])
    metric.compute_metrics(metric.results)
    content = json.loads((tmp_path / 'actions.json').read_text())
    assert content['classes'] == ['lift', 'lower', 'turn'] and content['confusion'][1] == [1, 0, 0]


def test_objects_of_another_number() -> None:
    metric = ClipObjectMetric()
    metric.dataset_meta = dict(objects=('cup', 'pen'))
    with pytest.raises(ValueError, match='num_objects: expected 2, the objects of the data, got 3'):
        metric.process({}, [sample()])


def test_joints_of_another_number_of_hands() -> None:
    with pytest.raises(ValueError, match='hands: expected 42 joints for left, right, got 21 labelled and 21 predicted'):
        score('HandPose3DMetric', [sample()], hands=('left', 'right'))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(hands=('right', 'left')), "hands: expected 'left', 'right' or both in this order"),
        (dict(max_distance=81), 'max_distance: expected a multiple of step 2.5, got 81'),
        (dict(max_aligned=0), 'max_aligned: expected a multiple of step 2.5, got 0'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HandPose3DMetric(**arguments)
