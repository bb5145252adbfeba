"""Thumbs tucked under folded fingers, as in the letters T, N and M and in many a fist."""

import numpy as np

from .kinematics import frame_scales, frames_of_angles, keypoints_from_frames
from .pose import ANGLE_NAMES, HIGH, LONG_FINGERS, LOW, HandPose
from .proxies import penetration, proxy_spheres
from .shape import HandShape

_TRIES = 256
_PENETRATION = 0.0045
"""Metres by which a finger may enter another or the palm."""
_THUMB = {
    'thumb_flexion': (15, 48),
    'thumb_abduction': (-22, 12),
    'thumb_rotation': (0, 45),
    'thumb_mcp': (-5, 55),
    'thumb_ip': (-10, 45),
}
_COVERING = {'mcp': (50, 84), 'pip': (70, 105), 'dip': (24, 58)}
"""Degrees from which the thumb's angles, and those of the fingers over it, are drawn."""
_BEHIND = 0.008
"""Metres by which the tip is nearer to the palm than the middle joints of the fingers over it."""
_BEYOND = (0.004, 0.03)
"""Metres that the tip may lie beyond the last covering finger's knuckle, across the hand: before the next finger's
flesh, or over it."""


def tucked(pose: HandPose, over: int, rng: np.random.Generator, shape: HandShape) -> HandPose | None:
    """The pose with the thumb under the first so many (1 to 3) fingers, which fold over it; None where none was found.

    The thumb leans across as far as the fingers let it, its tip above the knuckles between the last finger over it and
    the next, as people show it. Drawn by rejection: nothing of it enters a finger or the palm.
    """
    angles = np.tile(pose.angles, (_TRIES, 1))
    for name, (low, high) in _THUMB.items():
        angles[:, ANGLE_NAMES.index(name)] = rng.uniform(low, high, _TRIES)
    for finger in LONG_FINGERS[:over]:
        for joint, (low, high) in _COVERING.items():
            angles[:, ANGLE_NAMES.index(f'{finger}_{joint}')] = rng.uniform(low, high, _TRIES)
    angles = np.clip(angles, LOW, HIGH)
    frames = frames_of_angles(angles, shape)
    points = keypoints_from_frames(frames, shape)
    tip, knuckles, bent = points[:, 4], points[:, [5, 9, 13, 17]], points[:, [6, 10, 14, 18]]
    fine = penetration(proxy_spheres(frames, frame_scales(shape))) < _PENETRATION
    fine &= tip[:, 2] > bent[:, :over, 2].max(1) + _BEHIND
    fine &= tip[:, 1] > knuckles[:, over, 1]
    beyond = tip[:, 0] - knuckles[:, over - 1, 0]
    fine &= (beyond > _BEYOND[0]) & (beyond < _BEYOND[1])
    return HandPose(angles[fine.argmax()]) if fine.any() else None
