"""Found hands and false boxes at the thresholds of a demo, worked out by hand."""

import pytest
import torch

from handkp_plugins.evaluation import HandBoxErrors

EMPTY: list[list[float]] = []


def sample(path: str, hands: list[list[float]], boxes: list[list[float]], scores: list[float]) -> dict:
    return dict(
        img_path=f'images/{path}',
        gt_instances=dict(bboxes=torch.tensor(hands).reshape(-1, 4)),
        pred_instances=dict(bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.tensor(scores)),
    )


def test_found_hands_and_false_boxes() -> None:
    """IoUs with the hand of 10×10: 1, 0.5 (found), 0.4 (neither), 0.25 (false) and 0."""
    hand, half = [0.0, 0, 10, 10], [0.0, 0, 10, 5]
    metric = HandBoxErrors(score_thrs=(0.3, 0.6))
    metric.process({}, [
        sample('room/a.jpg', [hand], [half, [0, 0, 10, 4]], [0.7, 0.9]),
        sample('room/b.jpg', [hand, [50, 50, 60, 60]], [hand, [0, 0, 5, 5]], [0.5, 0.3]),
        sample('faces/c.jpg', EMPTY, [hand, [80, 80, 90, 90]], [0.65, 0.29]),
    ])  # fmt: skip
    assert metric.evaluate(3) == pytest.approx({
        'recall@0.3': 2 / 3, 'false@0.3': 2 / 3, 'recall@0.6': 1 / 3, 'false@0.6': 1 / 3,
        'recall@0.3/room': 2 / 3, 'false@0.3/room': 1 / 2, 'recall@0.6/room': 1 / 3, 'false@0.6/room': 0,
        'false@0.3/faces': 1, 'false@0.6/faces': 1,
    })  # fmt: skip


def test_an_image_without_any_box() -> None:
    metric = HandBoxErrors(score_thrs=[0.5], by_folder=False)
    metric.process({}, [sample('a/a.jpg', [[0.0, 0, 5, 5]], EMPTY, [])])
    assert metric.evaluate(1) == {'recall@0.5': 0, 'false@0.5': 0}


def test_bad_thresholds() -> None:
    with pytest.raises(ValueError, match='false_iou, found_iou: expected 0 < false ≤ found ≤ 1, got 0.6, 0.5'):
        HandBoxErrors(false_iou=0.6)
