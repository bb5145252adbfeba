import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.registry import METRICS

from handkp_plugins.evaluation import HeatmapPCK, heatmap_pck
from handkp_plugins.evaluation.functional import heatmap_hits, keypoint_shares
from handkp_plugins.hand.skeleton import KEYPOINT_NAMES


def test_hits_by_hand():
    """A heatmap of 48 × 64: keypoints nearer than 0.03 · 64 = 1.92 pixels are correct."""
    truth = np.zeros((2, 4, 2))
    predicted = np.array([[[1.9, 0], [0, 1.93], [1.4, 1.4], [9, 9]], [[0, 0], [5, 0], [np.nan, 0], [9, 9]]])
    labelled = np.array([[1, 1, 1, 0], [0, 1, 1, 0]])
    hits = heatmap_hits(predicted, truth, labelled, (48, 64))
    np.testing.assert_array_equal(hits, [[1, 0, 0, np.nan], [np.nan, 0, 0, np.nan]])  # (1.4, 1.4) is 1.98 long
    shares, counts = keypoint_shares(hits)
    np.testing.assert_array_equal(shares, [1, 0, 0, np.nan])
    assert counts.tolist() == [1, 2, 2, 0]


def test_the_threshold_itself_is_too_far():
    truth = np.zeros((1, 2, 2))
    assert heatmap_hits(truth + [16, 0], truth, np.ones((1, 2)), (32, 64), alpha=0.25).tolist() == [[0, 0]]
    assert heatmap_hits(truth + [15.99, 0], truth, np.ones((1, 2)), (32, 64), alpha=0.25).tolist() == [[1, 1]]


def make_sample(distances: list[float], visible: list[float]) -> dict:
    """One hand in a frame of 768 × 1024 that the network sees as 192 × 256 (heatmap 48 × 64), where keypoint k is
    predicted ``distances[k]`` pixels of the heatmap to the right of the truth: 16 pixels of the frame each."""
    truth = np.full((1, len(distances), 2), 300.0)
    predicted = truth + 16 * np.stack([distances, np.zeros(len(distances))], axis=-1)[None]
    return dict(
        pred_instances=dict(keypoints=predicted),
        gt_instances=dict(keypoints=truth, keypoints_visible=np.array([visible])),
        input_center=np.array([384, 512]),
        input_scale=np.array([768, 1024]),
        input_size=(192, 256),
    )


def evaluate(metric: HeatmapPCK, samples: list[dict]) -> dict[str, float]:
    metric.process({}, samples)
    return metric.evaluate(len(samples))


SAMPLES = [make_sample([0, 1.9, 1.95], [1, 1, 0]), make_sample([0, 1.93, 2], [2, 1, 0])]


def test_metric_by_hand():
    """The first keypoint is correct in 2 of 2 frames, the second in 1 of 2, the third is never labelled."""
    metric = METRICS.build(dict(type='HeatmapPCK'))
    assert evaluate(metric, SAMPLES) == {'PCK@0.03heatmap': 0.75}
    assert evaluate(HeatmapPCK(alpha=0.02), SAMPLES) == {'PCK@0.02heatmap': 0.5}


def test_mean_is_that_of_the_keypoints_and_not_of_all_hits():
    samples = [make_sample([0, 9], [1, 1]), make_sample([0, 0], [1, 0]), make_sample([0, 0], [1, 0])]
    assert evaluate(HeatmapPCK(), samples)['PCK@0.03heatmap'] == 0.5  # not 3 of 4


def test_table_json_and_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = []
    monkeypatch.setattr(heatmap_pck, 'print_log', lambda text, **_: told.append(text))
    metric = HeatmapPCK(picture_file=str(tmp_path / 'a' / 'pck.png'), json_file=str(tmp_path / 'b' / 'pck.json'))
    metric.dataset_meta = dict(keypoint_id2name=dict(enumerate(KEYPOINT_NAMES)))
    samples = [make_sample([0] * 20 + [9], [1] * 19 + [0, 1])]
    evaluate(metric, samples)
    lines = [' '.join(line.split()) for line in '\n'.join(told).splitlines()]
    for expected in ('wrist 1.0000 1', 'pinky_finger3 nan 0', 'pinky_finger4 0.0000 1', 'mean 0.9500 20'):
        assert expected in lines
    written = json.loads((tmp_path / 'b' / 'pck.json').read_text())
    assert (written['alpha'], written['mean']) == (0.03, pytest.approx(19 / 20))
    assert list(written['pck']) == KEYPOINT_NAMES
    assert (written['pck']['wrist'], written['pck']['pinky_finger3'], written['pck']['pinky_finger4']) == (1, None, 0)
    assert sum(written['labelled'].values()) == 20
    assert cv2.imread(str(tmp_path / 'a' / 'pck.png')) is not None


def test_nothing_labelled_is_nan(tmp_path: Path):
    metric = HeatmapPCK(picture_file=str(tmp_path / 'pck.png'), json_file=str(tmp_path / 'pck.json'))
    assert np.isnan(evaluate(metric, [make_sample([0], [0])])['PCK@0.03heatmap'])
    assert json.loads((tmp_path / 'pck.json').read_text())['mean'] is None


@pytest.mark.parametrize('alpha', [0, 1, -0.1, float('nan')])
def test_bad_alpha(alpha: float):
    with pytest.raises(ValueError, match='alpha: a number between 0 and 1 is allowed, received'):
        HeatmapPCK(alpha=alpha)
