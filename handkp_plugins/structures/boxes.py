"""Boxes of hands: (x1, y1, x2, y2) in pixels."""

import numpy as np


def keypoint_box(points: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """The box (x1, y1, x2, y2) around points [K, 2], enlarged about its centre."""
    low, high = points.min(0), points.max(0)
    half = (high - low) / 2 * factor
    return np.concatenate([(low + high) / 2 - half, (low + high) / 2 + half])
