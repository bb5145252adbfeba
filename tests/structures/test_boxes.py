"""Boxes, worked out by hand."""

import numpy as np

from handkp_plugins.structures.boxes import box_iou, box_sizes, clip_boxes, keypoint_box, mirror_boxes, xywh_to_xyxy


def test_box_around_points() -> None:
    points = np.array([[2.0, 10], [6, 4], [3, 5]])
    assert keypoint_box(points).tolist() == [2, 4, 6, 10]
    assert keypoint_box(points, 2).tolist() == [0, 1, 8, 13]


def test_corners_and_sizes() -> None:
    boxes = xywh_to_xyxy([[1, 2, 3, 4], [0, 0, 5, 6]])
    assert boxes.tolist() == [[1, 2, 4, 6], [0, 0, 5, 6]]
    assert box_sizes(boxes).tolist() == [[3, 4], [5, 6]]


def test_mirrored_boxes() -> None:
    assert mirror_boxes(np.array([[1.0, 2, 4, 6], [0, 0, 10, 5]]), 10).tolist() == [[6, 2, 9, 6], [0, 0, 10, 5]]


def test_boxes_are_cut_at_the_border() -> None:
    boxes = np.array([[-5, 5, 30, 40], [25, 3, 30, 9], [-9, -9, -1, 4]])
    assert clip_boxes(boxes, (20, 10)).tolist() == [[0, 5, 20, 10], [20, 3, 20, 9], [0, 0, 0, 4]]
    assert clip_boxes(boxes[:2], [(20, 10), (40, 40)]).tolist() == [[0, 5, 20, 10], [25, 3, 30, 9]]


def test_overlap() -> None:
    boxes, others = np.array([[0, 0, 4, 4], [0, 0, 2, 2]]), np.array([[2, 2, 6, 6], [0, 0, 4, 4], [9, 9, 10, 10]])
    np.testing.assert_allclose(box_iou(boxes, others), [[4 / 28, 1, 0], [0, 0.25, 0]])
