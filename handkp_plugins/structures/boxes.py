"""Bounding boxes (x1, y1, x2, y2) in pixels. NumPy only."""

from collections.abc import Sequence

import numpy as np


def keypoint_box(points: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """Return the box (4,) around points [K, 2], enlarged about its centre."""
    low, high = points.min(0), points.max(0)
    half = (high - low) / 2 * factor
    return np.concatenate([(low + high) / 2 - half, (low + high) / 2 + half])


def xywh_to_xyxy(boxes: np.ndarray | Sequence) -> np.ndarray:
    """Convert COCO boxes (x, y, width, height), [..., 4], to corners."""
    boxes = np.asarray(boxes)
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1)


def mirror_boxes(boxes: np.ndarray, width: float) -> np.ndarray:
    """Return boxes [..., 4] in an image of this width mirrored left to right."""
    return boxes[..., [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], boxes.dtype) + np.array(
        [width, 0, width, 0], boxes.dtype
    )


def box_sizes(boxes: np.ndarray) -> np.ndarray:
    """Return width and height [..., 2] of boxes [..., 4]."""
    return boxes[..., 2:] - boxes[..., :2]


def clip_boxes(boxes: np.ndarray, size: np.ndarray | Sequence[float]) -> np.ndarray:
    """Cut boxes [..., 4] at the borders of images of ``size`` [W, H]; a box outside the image has no area then."""
    return np.clip(boxes, 0, np.concatenate([size, size], -1))


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union [N, M] of boxes [N, 4] and others [M, 4]."""
    boxes, others = np.asarray(boxes, float)[:, None], np.asarray(others, float)[None]
    low, high = np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:])
    intersection = (high - low).clip(0).prod(-1)
    return intersection / (box_sizes(boxes).prod(-1) + box_sizes(others).prod(-1) - intersection)
