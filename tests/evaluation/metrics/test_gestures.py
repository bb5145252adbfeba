"""Scores of gestures against cases worked out by hand."""

import json

import cv2
import pytest

from handkp_plugins.evaluation.metrics.gestures import GestureMetric


def test_a_picture_needs_a_format():
    with pytest.raises(ValueError, match="picture_file: expected a name with .png, .svg or alike, got 'confusion'"):
        GestureMetric(picture_file='confusion')


def test_metric(tmp_path):
    metric = GestureMetric(picture_file=str(tmp_path / 'confusion.png'), json_file=str(tmp_path / 'confusion.json'))
    metric.dataset_meta = dict(classes=('open', 'fist', 'point', 'ok'))
    pairs = [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0), (2, 2), (2, 2), (2, 2)]
    metric.process(None, [dict(gt_label=t, pred_label=p) for t, p in pairs])
    scores = metric.evaluate(len(pairs))
    assert scores['accuracy'] == 6 / 8 and scores['WER'] == pytest.approx(1 - 6 / 8)
    assert scores['mean_recall'] == pytest.approx((2 / 3 + 1 + 3 / 4) / 3)
    written = json.loads((tmp_path / 'confusion.json').read_text())
    assert written['confusion'] == [[2, 1, 0, 0], [0, 1, 0, 0], [1, 0, 3, 0], [0, 0, 0, 0]]
    assert written['recall'] == [pytest.approx(2 / 3), 1, 0.75, None]
    picture = cv2.imread(str(tmp_path / 'confusion.png'))
    assert picture is not None and picture.min() < 100
