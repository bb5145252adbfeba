"""Pinches: the pad of the thumb touches the pads of one or more fingers."""

from collections.abc import Sequence

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from ..hand.kinematics import FRAME_INDEX, TIP_INSIDE, joint_frames, normalize
from ..hand.pose import ANGLE_NAMES, HIGH, LOW, HandPose
from ..hand.shape import HandShape
from .gestures import GESTURES

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
