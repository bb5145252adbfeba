"""The 21 keypoints of a hand: names, bones, colours, and how other data sets order them. NumPy only.

The order is that of MMPose's OneHand10K: the wrist, then thumb, forefinger, middle, ring and little finger, each from
its root to its tip. A finger's four keypoints are MCP, PIP, DIP and tip; the thumb's are CMC, MCP, IP and tip.
"""

from typing import Any

import numpy as np

NUM_KEYPOINTS = 21

FINGERS = ('thumb', 'index', 'middle', 'ring', 'little')
LONG_FINGERS = FINGERS[1:]

FINGER_KEYPOINTS: dict[str, list[int]] = {
    finger: list(range(first, first + 4)) for finger, first in zip(FINGERS, (1, 5, 9, 13, 17), strict=True)
}
"""Ids of each finger's keypoints, from its root to its tip."""

THUMB_TIP, INDEX_TIP = FINGER_KEYPOINTS['thumb'][-1], FINGER_KEYPOINTS['index'][-1]

_FINGER_COLORS = {  # by the finger's name in OneHand10K
    'thumb': (255, 128, 0),
    'forefinger': (255, 153, 255),
    'middle_finger': (102, 178, 255),
    'ring_finger': (255, 51, 51),
    'pinky_finger': (0, 255, 0),
}

KEYPOINT_NAMES: list[str] = ['wrist'] + [f'{finger}{i}' for finger in _FINGER_COLORS for i in (1, 2, 3, 4)]

KEYPOINT_COLORS: list[tuple[int, int, int]] = [(255, 255, 255)] + [
    color for color in _FINGER_COLORS.values() for _ in range(4)
]
"""One RGB colour per keypoint; a bone takes the colour of its far end."""

PARENTS: list[int] = [-1] + [0 if i == 0 else ids[i - 1] for ids in FINGER_KEYPOINTS.values() for i in range(4)]
"""The keypoint next nearer to the wrist; -1 for the wrist itself."""

BONES: list[tuple[int, int]] = [(parent, child) for child, parent in enumerate(PARENTS) if parent >= 0]
"""The 20 bones as (near, far) keypoint ids."""

_ROOT_TO_TIP = list(range(NUM_KEYPOINTS))

JOINT_ORDERS: dict[str, list[int]] = {
    'onehand10k': _ROOT_TO_TIP,
    'panoptic': _ROOT_TO_TIP,
    'freihand': _ROOT_TO_TIP,
    'mediapipe': _ROOT_TO_TIP,
    # the wrist first, each finger from its tip to its root
    'rhd': [0] + [i for ids in FINGER_KEYPOINTS.values() for i in reversed(ids)],
    # the right hand's 21: each finger from its tip to its root, the wrist last
    'interhand': [20] + [i - 1 for ids in FINGER_KEYPOINTS.values() for i in reversed(ids)],
    # the wrist, the five roots from the thumb on, then each finger's other three from root to tip
    'fpha': [0] + [i for finger in range(5) for i in (1 + finger, *range(6 + 3 * finger, 9 + 3 * finger))],
    # little finger to thumb, each from its root to its tip; keypoint 0 is the centre of the palm and not the wrist
    'stb': [0] + [17 - 4 * finger + i for finger in range(5) for i in range(4)],
}
"""Per data set, where each of our keypoints stands in that data set's own order: ``ours = theirs[order]``."""


def to_our_order(keypoints: np.ndarray, dataset: str) -> np.ndarray:
    """Reorder keypoints (..., 21, D) of the named data set into ours; ValueError if its order is unknown."""
    if dataset not in JOINT_ORDERS:
        raise ValueError(f'dataset: expected one of {sorted(JOINT_ORDERS)}, got {dataset!r}')
    keypoints = np.asarray(keypoints)
    if keypoints.ndim < 2 or keypoints.shape[-2] != NUM_KEYPOINTS:
        raise ValueError(f'keypoints: expected shape (..., {NUM_KEYPOINTS}, D), got {keypoints.shape}')
    return keypoints[..., JOINT_ORDERS[dataset], :]


def hand_metainfo(dataset_name: str, paper_info: dict[str, str] | None = None) -> dict[str, Any]:
    """MMPose ``METAINFO`` of a data set that has our 21 keypoints in our order.

    A hand flipped left to right keeps its keypoints' meaning, so no keypoint is swapped with another.
    """
    return dict(
        dataset_name=dataset_name,
        paper_info=dict(paper_info or {}),
        keypoint_info={
            i: dict(name=name, id=i, color=list(KEYPOINT_COLORS[i]), type='', swap='')
            for i, name in enumerate(KEYPOINT_NAMES)
        },
        skeleton_info={
            i: dict(link=(KEYPOINT_NAMES[a], KEYPOINT_NAMES[b]), id=i, color=list(KEYPOINT_COLORS[b]))
            for i, (a, b) in enumerate(BONES)
        },
        joint_weights=[1.0] * NUM_KEYPOINTS,
        sigmas=[],
    )


HAND_METAINFO: dict[str, Any] = hand_metainfo('hand21')
