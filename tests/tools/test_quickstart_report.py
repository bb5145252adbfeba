"""The report of tools/quickstart.py."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool

report = load_tool('quickstart_report')


class Records(list):
    """A data set as the report reads it."""

    get_data_info = list.__getitem__


class Named:
    """A network without parameters."""

    def __init__(self, name: str) -> None:
        self.name = name

    def parameters(self) -> list:
        return []


def test_a_hand_without_labels_is_not_the_worst():
    errors = np.array([2.0, np.nan, 5.0, 0.0, np.nan])
    assert report._worst(errors, 4).tolist() == [2, 0, 3, 1]


def test_only_what_is_shown_is_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The worst hands of the first system need all its predictions, the others are shown on six pictures."""
    picture = tmp_path / 'p.png'
    cv2.imwrite(str(picture), np.full((4, 5, 3), 77, np.uint8))
    truth = np.arange(42.0).reshape(1, 21, 2)
    samples = [
        dict(img_path=str(picture), bbox=np.full((1, 4), i), keypoints=truth, keypoints_visible=np.ones((1, 21)))
        for i in range(11)
    ]
    monkeypatch.setattr(report, 'DATASETS', SimpleNamespace(build=lambda config: Records(samples)))
    monkeypatch.setattr(report, 'init_model', lambda config, checkpoint: Named(checkpoint))
    predicted = {'a': [], 'b': []}

    def predict(model: Named, image: np.ndarray, bbox: np.ndarray) -> list[dict]:
        predicted[model.name].append(int(bbox[0, 0]))
        return [dict(keypoints=truth[0] + bbox[0, 0], scores=np.ones(21))]

    monkeypatch.setattr(report, 'predict', predict)
    config = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=None))
    scores = dict.fromkeys(report._SCORES.values(), 0.5)
    curve = dict(pck=[0.0] * 50)
    systems = [report.System(name, scores, curve, config, name, 1.0) for name in predicted] + [
        report.System('mean', scores, curve)
    ]
    written, table = report.write_report(tmp_path, systems, 110, [picture], [])
    assert predicted == {'a': list(range(11)), 'b': [0, 2, 4, 6, 8, 10]}
    assert written['num_test_images'] == 11 and 'mean' in table
    assert (tmp_path / 'worst.png').is_file() and (tmp_path / 'predictions.png').is_file()
