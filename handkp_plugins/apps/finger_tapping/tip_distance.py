"""The distance between thumb tip and index tip in hand sizes, and its noise. Times are in seconds, NaN if unknown.

The hand size is that of the palm, which keeps its shape while fingers move: the distance from the wrist to the middle
knuckle, or the scaled width over the knuckles if that is larger, so that a palm that tilts is not measured too small.
The median over a second removes jitter and single wrong keypoints, and follows a hand that moves closer. A 2D distance
looks shorter when it points to the camera: film the hand from its thumb's side.
"""

import numpy as np

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS, INDEX_TIP, THUMB_TIP

WRIST = 0
INDEX_MCP, MIDDLE_MCP, _, LITTLE_MCP = (ids[0] for name, ids in FINGER_KEYPOINTS.items() if name != 'thumb')
KEYPOINTS = (WRIST, THUMB_TIP, INDEX_MCP, INDEX_TIP, MIDDLE_MCP, LITTLE_MCP)
"""The keypoints that the measurement needs."""
MIN_SCORE = 0.1
"""A frame in which one of them scores less counts as without the hand."""
LENGTH_TO_WIDTH = 1.5
"""Palm length over palm width of the mean hand, as measured here."""
_HALF_WINDOW = 0.5  # seconds on either side in the median of the hand size
_RIGID = ((WRIST, INDEX_MCP), (WRIST, MIDDLE_MCP), (WRIST, LITTLE_MCP), (INDEX_MCP, LITTLE_MCP))
_MAD_TO_STD = 1.4826  # from the median of absolute values to the standard deviation of a normal distribution


def keypoint_distance(keypoints: np.ndarray, a: int, b: int) -> np.ndarray:
    """Return the distances (N,) between two keypoints of (N, 21, D)."""
    return np.linalg.norm(keypoints[:, a] - keypoints[:, b], axis=-1)


def hand_size(time: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Return the hand size (N,) at times (N,), in the unit of keypoints (N, 21, D)."""
    length = keypoint_distance(keypoints, WRIST, MIDDLE_MCP)
    palm = np.fmax(length, LENGTH_TO_WIDTH * keypoint_distance(keypoints, INDEX_MCP, LITTLE_MCP))
    known = np.flatnonzero(np.isfinite(palm) & (palm > 0))
    out = np.full(len(time), np.nan)
    first = np.searchsorted(time[known], time[known] - _HALF_WINDOW)
    last = np.searchsorted(time[known], time[known] + _HALF_WINDOW, side='right')
    for i, a, b in zip(known, first, last, strict=True):
        out[i] = np.median(palm[known[a:b]])
    return out


def tip_distance(time: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of the tips in hand sizes (N,), and the hand size (N,) in the unit of keypoints."""
    size = hand_size(time, keypoints)
    return keypoint_distance(keypoints, THUMB_TIP, INDEX_TIP) / size, size


def distance_noise(time: np.ndarray, keypoints: np.ndarray, size: np.ndarray) -> float:
    """Return the standard deviation of the noise of a distance between two keypoints, in hand sizes.

    It comes from lengths within the palm, which tapping does not change: the median deviation of each frame from the
    straight line between its neighbours. 0 if there are no three frames in a row.
    """
    known = np.flatnonzero(np.isfinite(size))
    if len(known) < 3:
        return 0.0
    t, points = time[known], keypoints[known] / size[known, None, None]
    share = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
    close = t[2:] - t[:-2] < 3 * np.median(np.diff(t))
    deviations = []
    for a, b in _RIGID:
        length = keypoint_distance(points, a, b)
        off = length[1:-1] - (1 - share) * length[:-2] - share * length[2:]
        off = off[close] / np.sqrt(1 + share[close] ** 2 + (1 - share[close]) ** 2)
        deviations.append(_MAD_TO_STD * np.median(np.abs(off)) if len(off) else 0.0)
    return float(np.median(deviations))
