"""Scores relative to the bounding box of the hand, over all keypoints and by group, in plain NumPy.

Letters: N hands, K keypoints. Distances are pixels of the image. A crop is 1.25 times the longer side of the box,
resized to 256 × 256 pixels: 0.1 of the box is 20.48 px.
"""

from typing import Any

import numpy as np

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS

from .distances import pck_at

CROP_SIZE, CROP_PADDING = 256, 1.25

_JOINTS = np.array(list(FINGER_KEYPOINTS.values()))
GROUPS: dict[str, list[int]] = {'wrist': [0]} | {
    name: _JOINTS[:, i].tolist() for i, name in enumerate(('MCP', 'PIP', 'DIP', 'tip'))
}
"""Keypoints by joint type; the thumb's CMC, MCP and IP count as MCP, PIP and DIP."""


def crop_pixels(distances: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Convert distances (N, K) from pixels of the image to pixels of a 256 px crop of their boxes (N, 4)."""
    sides = longer_sides(boxes)
    if len(sides) != len(distances):
        raise ValueError(f'boxes: expected {len(distances)}, one for each hand, got {len(sides)}')
    return np.asarray(distances) * (CROP_SIZE / CROP_PADDING) / sides[:, None]


def longer_sides(boxes: np.ndarray) -> np.ndarray:
    """Return the longer side (N,) of boxes (x1, y1, x2, y2); raises ValueError for a box without area."""
    boxes = np.asarray(boxes, np.float64)
    sides = boxes[:, 2:] - boxes[:, :2]
    if (bad := ~(sides > 0).all(1)).any():
        raise ValueError(f'boxes: expected x1 < x2 and y1 < y2, got {boxes[bad][0].tolist()}')
    return sides.max(1)


def box_scores(distances: np.ndarray, visibility: np.ndarray, boxes: np.ndarray) -> dict[str, Any]:
    """Compute PCK, and errors in pixels of a 256 px crop.

    Args:
        distances: (N, K) in pixels of the image; NaN counts as infinite.
        visibility: (N, K): 0 not labelled, 1 occluded, 2 visible; in a set without any 2, 1 only means labelled.
        boxes: (N, 4) as (x1, y1, x2, y2) in pixels of the image.

    Returns:
        ``n_hands`` and ``n_keypoints``, the labelled ones; ``pck_0.1`` and ``pck_0.2``, the shares of them that are
        closer than that part of the longer side of their box; ``median_px`` and ``mean_px``; ``groups``, name → count,
        median and mean, for :data:`GROUPS` and, where the set has both, visible and hidden keypoints. NaN for a count
        of 0.
    """
    visibility = np.asarray(visibility)
    distances = np.where(np.isnan(distances), np.inf, distances)
    errors = crop_pixels(distances, boxes)
    labelled = visibility > 0
    groups = {name: _summary(errors[:, ids][labelled[:, ids]]) for name, ids in GROUPS.items()}
    if (visibility == 2).any() and (visibility == 1).any():
        groups |= {'visible': _summary(errors[visibility == 2]), 'hidden': _summary(errors[visibility == 1])}
    relative = (distances / longer_sides(boxes)[:, None])[labelled]
    total = _summary(errors[labelled])
    return {
        'n_hands': int(labelled.any(1).sum()),
        'n_keypoints': total.pop('n'),
        'pck_0.1': pck_at(relative, 0.1),
        'pck_0.2': pck_at(relative, 0.2),
        **total,
        'groups': groups,
    }


def _summary(errors: np.ndarray) -> dict[str, Any]:
    if not len(errors):
        return dict(n=0, median_px=float('nan'), mean_px=float('nan'))
    return dict(n=len(errors), median_px=float(np.median(errors)), mean_px=float(np.mean(errors)))
