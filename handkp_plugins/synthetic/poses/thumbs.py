"""Draws thumbs that touch fingers: pads in pinches, and thumbs of folded hands, under the fingers or before them."""

from collections.abc import Mapping, Sequence

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from ..hand.kinematics import FRAME_INDEX, TIP_INSIDE, frame_scales, joint_frames, keypoints_from_frames, normalize
from ..hand.pose import ANGLE_NAMES, HIGH, LOW, THUMB_ANGLES, HandPose
from ..hand.proxies import FINGER_OF_SPHERE, max_penetration, proxy_spheres
from ..hand.shape import HandShape
from .gestures import GESTURES

# pinches
_PAD = 1e-3 * np.array([8.2, 7.3, 7.2, 6.8, 6.3])  # from a tip's keypoint to its pad's skin, pressed, in the mean hand
_EDGE = 0.006  # metres from the middle of a pad to its edge
_BASES = {
    'index': ('ok', 'pinch', 'beak'),
    'middle': ('pinch_middle', 'tripod'),
    'ring': ('pinch_ring',),
    'little': ('pinch_little',),
}
_MAX_STEPS, _DAMPING, _TOLERANCE = 8, 1e-5, 5e-4
_DIFFERENCE = 0.5  # degrees, for slopes
_MOBILITY = {'abd': 0.3, 'arch': 0.3, 'rotation': 0.5}  # how readily an angle changes; the others count 1

# folded hands
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


def random_pinch(rng: np.random.Generator, shape: HandShape) -> HandPose:
    """Draw a pinch of the thumb with one finger or two neighbours; the other fingers lie as in some gesture."""
    i = int(rng.choice(4, p=[0.45, 0.25, 0.15, 0.15]))
    base = GESTURES[str(rng.choice(_BASES[LONG_FINGERS[i]]))]
    fingers = LONG_FINGERS[i : i + (2 if rng.random() < 0.3 else 1)]
    other = GESTURES[str(rng.choice(list(GESTURES)))]
    free = np.array([name.split('_')[0] not in ('thumb', 'palm', 'wrist', *fingers) for name in ANGLE_NAMES])
    angles = base.mix(other, free * rng.uniform(0, 1)).angles + rng.normal(0, 5, len(ANGLE_NAMES))
    return close_pinch(HandPose.clip(angles), fingers, shape)


def close_pinch(pose: HandPose, fingers: Sequence[str], shape: HandShape) -> HandPose:
    """Find the nearest pose in which the thumb's pad touches the pads of the named long fingers.

    Damped Gauss-Newton steps on the thumb's and those fingers' angles within their limits; where the limits prevent a
    touch, the pads come as near as they can.
    """
    moving = [i for i, name in enumerate(ANGLE_NAMES) if name.split('_')[0] in ('thumb', 'palm', *fingers)]
    mobility = np.array([_MOBILITY.get(ANGLE_NAMES[i].split('_')[1], 1.0) for i in moving])
    angles = pose.angles.copy()
    for _ in range(_MAX_STEPS):
        trial = np.tile(angles, (len(moving) + 1, 1))
        trial[1 + np.arange(len(moving)), moving] += _DIFFERENCE
        gaps = pad_gaps(trial, fingers, shape)  # (1 + moving, 3 × fingers) metres
        if np.abs(gaps[0]).max() < _TOLERANCE:
            break
        slopes = (gaps[1:] - gaps[0]) / _DIFFERENCE
        at_limit = ((angles[moving] <= LOW[moving]) | (angles[moving] >= HIGH[moving]))[:, None]
        weighted = slopes * mobility[:, None] * np.where(at_limit, 0.1, 1.0)
        normal = weighted.T @ slopes + _DAMPING**2 * np.eye(gaps.shape[1])
        angles[moving] -= np.clip(weighted @ np.linalg.solve(normal, gaps[0]), -25, 25)
        angles = np.clip(angles, LOW, HIGH)
    return HandPose(angles)


def pad_gaps(angles: np.ndarray, fingers: Sequence[str], shape: HandShape) -> np.ndarray:
    """Metres (N, 3 × fingers) from the thumb's pad to each named finger's, for angles (N, 24) in degrees."""
    # tips that touch lie as far apart as their flesh is thick, in the mean direction that both pads face
    bones = joint_frames(angles, shape)[:, [FRAME_INDEX[f'{finger}_2'] for finger in ('thumb', *fingers)], :3]
    ids = [FINGERS.index(finger) for finger in ('thumb', *fingers)]
    tips = bones[..., 3] + bones[..., 1] * (shape.segments[ids, 2, None] - TIP_INSIDE)
    if len(fingers) == 2:  # neighbours, named in order, touch with the inner edges of their pads
        tips[:, 1:] += bones[:, 1:, :, 0] * np.array([[_EDGE], [-_EDGE]])
    thickness = _PAD[ids] * shape.depth[ids, 2]
    facing = normalize(bones[:, 1:, :, 2] - bones[:, :1, :, 2])
    gaps = tips[:, 1:] - tips[:, :1] - facing * (thickness[1:] + thickness[0])[:, None]
    return gaps.reshape(len(angles), -1)


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
