"""A hand of which the tips' distance is what a test says."""

import numpy as np

from handkp_plugins.structures.skeleton import INDEX_TIP, THUMB_TIP

PALM = 100.0  # pixels from the wrist to the middle finger's knuckle: the hand's size


def hand_at(distance: np.ndarray, scale: float | np.ndarray = 1.0) -> np.ndarray:
    """Keypoints (N, 21, 2) of a hand whose tips are so far apart (N,), in sizes of the hand; ``scale`` enlarges it."""
    points = np.zeros((len(distance), 21, 2))
    points[:, [0, 5, 9, 17]] = [[100, 200], [80, 105], [100, 100], [138, 110]]
    points[:, THUMB_TIP] = [60, 90]
    points[:, INDEX_TIP] = np.column_stack([60 + PALM * distance, np.full(len(distance), 90)])
    return points * np.broadcast_to(scale, len(distance))[:, None, None]


def closures(time: np.ndarray, taps: np.ndarray, heights: float | np.ndarray = 0.8, closed: float = 0.1) -> np.ndarray:
    """Distances (N,) that are ``closed`` at the taps and ``heights`` more half-way between them; held open
    before and after."""
    known = np.concatenate([[2 * taps[0] - taps[1]], taps, [2 * taps[-1] - taps[-2]]])
    i = np.clip(np.searchsorted(known, time, side='right') - 1, 0, len(known) - 2)
    share = (time - known[i]) / np.diff(known)[i]
    share = np.where((time < known[:2].mean()) | (time > known[-2:].mean()), 0.5, share)
    heights = np.broadcast_to(heights, len(known) - 1)
    return closed + heights[i] * 0.5 * (1 - np.cos(2 * np.pi * share))
