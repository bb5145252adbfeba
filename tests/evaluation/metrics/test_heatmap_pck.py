import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.keypoint_sample import keypoint_sample
from mmpose.registry import METRICS

from handkp_plugins.evaluation import HeatmapPCK
from handkp_plugins.evaluation.metrics import heatmap_pck
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES


def make_sample(distances: list[float], visible: list[float]) -> dict:
    """One hand in a frame of 768 × 1024 that the network sees as 192 × 256 (heatmap 48 × 64), where keypoint k is
    predicted ``distances[k]`` pixels of the heatmap to the right of the truth: 16 pixels of the frame each."""
    return keypoint_sample(16 * np.array(distances), visible, (768, 1024), (192, 256))


def evaluate(metric: HeatmapPCK, samples: list[dict]) -> dict[str, float]:
    metric.process({}, samples)
    return metric.evaluate(len(samples))


SAMPLES = [make_sample([0, 1.9, 1.95], [1, 1, 0]), make_sample([0, 1.93, 2], [2, 1, 0])]


def test_metric_by_hand():
    """The first keypoint is correct in 2 of 2 frames, the second in 1 of 2, the third is never labelled."""
    metric = METRICS.build(dict(type='HeatmapPCK'))
    assert evaluate(metric, SAMPLES) == {'PCK@0.03heatmap': 0.75}
    assert evaluate(HeatmapPCK(alpha=0.02), SAMPLES) == {'PCK@0.02heatmap': 0.5}


def test_the_threshold_itself_is_too_far_and_what_is_not_a_number_incorrect():
    """A quarter of the longer side, 64, is 16 pixels of the heatmap, in any direction."""
    samples = [make_sample([16, 15.99, np.nan, 0], [1, 1, 1, 1])]
    samples[0]['pred_instances']['keypoints'][0, 3] += 16 * np.array([11.4, 11.4])  # 16.1 long
    assert evaluate(HeatmapPCK(alpha=0.25), samples)['PCK@0.25heatmap'] == 0.25
    samples[0]['gt_instances']['keypoints'][0, 0] = np.nan
    samples[0]['gt_instances']['keypoints_visible'][0, 0] = 0  # then it counts nowhere
    assert evaluate(HeatmapPCK(alpha=0.25), samples)['PCK@0.25heatmap'] == pytest.approx(1 / 3)


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
    with pytest.raises(ValueError, match='alpha: expected a number between 0 and 1, got'):
        HeatmapPCK(alpha=alpha)
