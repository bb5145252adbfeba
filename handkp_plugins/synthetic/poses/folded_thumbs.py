"""Draws thumbs of folded hands: under fingers, as in the letters T, N and M and in many fists, or before them."""

from collections.abc import Mapping

import numpy as np

from handkp_plugins.structures.skeleton import LONG_FINGERS

from ..hand.kinematics import frame_scales, joint_frames, keypoints_from_frames
from ..hand.pose import ANGLE_NAMES, HIGH, LOW, THUMB_ANGLES, HandPose
from ..hand.proxies import FINGER_OF_SPHERE, max_penetration, proxy_spheres
from ..hand.shape import HandShape

_TRIES = 256
_PENETRATION = 0.0045  # metres by which a finger may enter another or the palm
Ranges = Mapping[str, tuple[float, float]]  # degrees
# thumbs under fingers, and the fingers over them
_UNDER: Ranges = dict(zip(THUMB_ANGLES, ((15, 48), (-22, 12), (0, 45), (-5, 55), (-10, 45)), strict=True))
_COVERING: Ranges = {'mcp': (50, 84), 'pip': (70, 105), 'dip': (24, 58)}
# thumbs before fingers, and an index finger that makes room for them
_BEFORE: Ranges = dict(
    zip(THUMB_ANGLES, ((-8, 46), (-12, 40), (-10, 45), (-5, 60), (-12, 65)), strict=True), index_abd=(-4, 16)
)
_BEHIND = 0.008  # metres by which the tip is nearer to the palm than the middle joints of the fingers over it
_BEYOND = (0.004, 0.03)  # metres from the last covering finger's knuckle to the tip, across the hand
_TOUCH = 0.003  # greatest distance in metres between the thumb's last bone and a finger that it rests on
_COVERED = 0.7  # of the radii's sum: a finger that is nearer to the thumb, seen from before the palm, covers it


def sample_thumb_under(pose: HandPose, over: int, rng: np.random.Generator, shape: HandShape) -> HandPose | None:
    """Draw a pose with the thumb under the first 1 to 3 fingers, which fold over it; None where none was found.

    The thumb leans across, its tip above the knuckles between the last finger over it and the next, as people show it.
    """
    covering = {f'{finger}_{joint}': limits for finger in LONG_FINGERS[:over] for joint, limits in _COVERING.items()}
    angles, points, spheres = _draw(pose, {**_UNDER, **covering}, rng, shape)
    tip, knuckles, bent = points[:, 4], points[:, [5, 9, 13, 17]], points[:, [6, 10, 14, 18]]
    beyond = tip[:, 0] - knuckles[:, over - 1, 0]
    fits = (
        (max_penetration(spheres) < _PENETRATION)
        & (tip[:, 2] > bent[:, :over, 2].max(1) + _BEHIND)
        & (tip[:, 1] > knuckles[:, over, 1])
        & (beyond > _BEYOND[0])
        & (beyond < _BEYOND[1])
    )
    return _first(angles, fits)


def sample_thumb_before(pose: HandPose, upright: bool, rng: np.random.Generator, shape: HandShape) -> HandPose | None:
    """Draw a pose with the thumb before its fingers, its last bone on one of them; None where none was found.

    The thumb lies anywhere, mostly across; or upright, its tip above the index finger's middle joint and beyond it.
    """
    angles, points, spheres = _draw(pose, _BEFORE, rng, shape)
    last, others = np.flatnonzero(FINGER_OF_SPHERE == 0)[-3:], FINGER_OF_SPHERE > 0
    thumb, fingers = spheres[:, last, None], spheres[:, None, others]
    offset, radii = thumb[..., :3] - fingers[..., :3], thumb[..., 3] + fingers[..., 3]
    touches = np.linalg.norm(offset, axis=-1) - radii < _TOUCH
    overlaps = np.linalg.norm(offset[..., :2], axis=-1) < _COVERED * radii
    before = offset[..., 2] < 0  # z falls away from the palm
    fits = max_penetration(spheres) < _PENETRATION
    fits &= (touches & before).any((1, 2)) & ~(overlaps & ~before).any((1, 2))
    if upright:
        fits &= (points[:, 4, :2] > points[:, 6, :2]).all(1)
    return _first(angles, fits)


def _draw(
    pose: HandPose, ranges: Ranges, rng: np.random.Generator, shape: HandShape
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles (N, 24) with some drawn anew, keypoints (N, 21, 3) and spheres (N, P, 4) of such hands."""
    angles = np.tile(pose.angles, (_TRIES, 1))
    for name, (low, high) in ranges.items():
        angles[:, ANGLE_NAMES.index(name)] = rng.uniform(low, high, _TRIES)
    angles = np.clip(angles, LOW, HIGH)
    frames = joint_frames(angles, shape)
    return angles, keypoints_from_frames(frames, shape), proxy_spheres(frames, frame_scales(shape))


def _first(angles: np.ndarray, fits: np.ndarray) -> HandPose | None:
    return HandPose(angles[fits.argmax()]) if fits.any() else None
