"""The distance between thumb tip and index tip, in sizes of the hand, and how noisy it is. Seconds, NaN where unknown.

The hand's size is the palm's, for a palm keeps its form while fingers move: the distance from the wrist to the middle
finger's knuckle, or the breadth over the knuckles in proportion where that is the greater, so that a palm that nods or
turns is not measured too small. Of that the median over a second is taken, which divides out a hand that comes nearer,
and leaves out jitter and single wrong keypoints. In two dimensions a distance shrinks where it points to the camera:
film the hand from its thumb's side.
"""

import numpy as np

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS, INDEX_TIP, THUMB_TIP

WRIST = 0
INDEX_MCP, MIDDLE_MCP, _, LITTLE_MCP = (ids[0] for name, ids in FINGER_KEYPOINTS.items() if name != 'thumb')
USED = (WRIST, THUMB_TIP, INDEX_MCP, INDEX_TIP, MIDDLE_MCP, LITTLE_MCP)
"""The keypoints that the measurement needs."""
LEAST_SCORE = 0.1
"""Frames in which one of those scores less count as without the hand."""
BREADTH = 1.5
"""The length of the mean hand's palm over its breadth, as measured here."""
_HALF_WINDOW = 0.5  # seconds to either side that the hand's size is a median of
_RIGID = ((WRIST, INDEX_MCP), (WRIST, MIDDLE_MCP), (WRIST, LITTLE_MCP), (INDEX_MCP, LITTLE_MCP))
_MAD = 1.4826  # from the median of absolute values to the standard deviation of a normal distribution


def between(keypoints: np.ndarray, one: int, other: int) -> np.ndarray:
    """Distances (N,) of two keypoints of (N, 21, D)."""
    return np.linalg.norm(keypoints[:, one] - keypoints[:, other], axis=-1)


def hand_size(time: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Size of the hand (N,) at times (N,), in the unit of keypoints (N, 21, D); see the top of this file."""
    length = between(keypoints, WRIST, MIDDLE_MCP)
    palm = np.fmax(length, BREADTH * between(keypoints, INDEX_MCP, LITTLE_MCP))
    known = np.flatnonzero(np.isfinite(palm) & (palm > 0))
    out = np.full(len(time), np.nan)
    first = np.searchsorted(time[known], time[known] - _HALF_WINDOW)
    last = np.searchsorted(time[known], time[known] + _HALF_WINDOW, side='right')
    for i, a, b in zip(known, first, last, strict=True):
        out[i] = np.median(palm[known[a:b]])
    return out


def tip_distance(time: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of the tips in sizes of the hand (N,), and that size (N,) in the unit of keypoints (N, 21, D)."""
    size = hand_size(time, keypoints)
    return between(keypoints, THUMB_TIP, INDEX_TIP) / size, size


def distance_noise(time: np.ndarray, keypoints: np.ndarray, size: np.ndarray) -> float:
    """Standard deviation of the noise of a distance between two keypoints, in sizes of the hand.

    Of lengths within the palm, which tapping does not change: how far each frame's differs from the straight line
    between its neighbours', by the median. (The tips' own distance would not do: at five frames a tap it moves as
    irregularly as noise does.) 0 where there are no three frames on end.
    """
    known = np.flatnonzero(np.isfinite(size))
    if len(known) < 3:
        return 0.0
    t, points = time[known], keypoints[known] / size[known, None, None]
    share = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
    close = t[2:] - t[:-2] < 3 * np.median(np.diff(t))
    deviations = []
    for one, other in _RIGID:
        length = between(points, one, other)
        off = length[1:-1] - (1 - share) * length[:-2] - share * length[2:]
        off = off[close] / np.sqrt(1 + share[close] ** 2 + (1 - share[close]) ** 2)
        deviations.append(_MAD * np.median(np.abs(off)) if len(off) else 0.0)
    return float(np.median(deviations))
