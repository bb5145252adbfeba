"""Pinches: the pad of the thumb brought exactly onto the pads of one or more fingers."""

import numpy as np

from ..hand.kinematics import FRAME_INDEX, TIP_INSIDE, frames_of_angles, unit
from ..hand.pose import ANGLE_NAMES, HIGH, LONG_FINGERS, LOW, HandPose
from ..hand.shape import HandShape
from .gestures import GESTURES

_ORDER = ('thumb', *LONG_FINGERS)
_PAD = 1e-3 * np.array([8.2, 7.3, 7.2, 6.8, 6.3])
"""Metres from a fingertip's keypoint to the skin of its pad, pressed a little, at mean thickness."""
_EDGE = 0.006
"""Metres from the middle of a pad to its edge."""
_BASES = {
    'index': ('ok', 'pinch', 'beak'),
    'middle': ('pinch_middle', 'tripod'),
    'ring': ('pinch_ring',),
    'little': ('pinch_little',),
}
_STEPS, _DAMPING, _TOUCHING = 8, 1e-5, 5e-4
_STIFF = {'abd': 0.3, 'arch': 0.3, 'rotation': 0.5}  # how readily an angle takes part; the others count 1


def random_pinch(rng: np.random.Generator, shape: HandShape) -> HandPose:
    """A pinch of the thumb with a random finger, in three of ten with its neighbour as well; the others lie as in some
    named gesture."""
    i = int(rng.choice(4, p=[0.45, 0.25, 0.15, 0.15]))
    finger = LONG_FINGERS[i]
    fingers = [finger]
    base = GESTURES[str(rng.choice(_BASES[finger]))]
    if rng.random() < 0.3 and i < 3:
        fingers.append(LONG_FINGERS[i + 1])
    other = GESTURES[str(rng.choice(list(GESTURES)))]
    free = np.array([name.split('_')[0] not in ('thumb', 'palm', 'wrist', *fingers) for name in ANGLE_NAMES])
    angles = base.mix(other, free * rng.uniform(0, 1)).angles + rng.normal(0, 5, len(ANGLE_NAMES))
    return closed_pinch(HandPose.clipped(angles), fingers, shape)


def closed_pinch(pose: HandPose, fingers: list[str], shape: HandShape) -> HandPose:
    """The pose nearest to the given one in which the thumb's pad touches the pads of the named long fingers.

    Damped Gauss-Newton steps on the thumb's and those fingers' angles within their limits; where the limits let them
    not touch, as near as they come.
    """
    moving = [i for i, name in enumerate(ANGLE_NAMES) if name.split('_')[0] in ('thumb', 'palm', *fingers)]
    ease = np.array([_STIFF.get(ANGLE_NAMES[i].split('_')[1], 1.0) for i in moving])
    angles = pose.angles.copy()
    for _ in range(_STEPS):
        trial = np.tile(angles, (len(moving) + 1, 1))
        trial[1 + np.arange(len(moving)), moving] += 0.5
        gaps = pad_gaps(trial, fingers, shape)  # (1 + moving, 3 × fingers) metres
        if np.abs(gaps[0]).max() < _TOUCHING:
            break
        slope = (gaps[1:] - gaps[0]) / 0.5
        blocked = ((angles[moving] <= LOW[moving]) | (angles[moving] >= HIGH[moving]))[:, None]
        weighted = slope * ease[:, None] * np.where(blocked, 0.1, 1.0)
        normal = weighted.T @ slope + _DAMPING**2 * np.eye(gaps.shape[1])
        angles[moving] -= np.clip(weighted @ np.linalg.solve(normal, gaps[0]), -25, 25)
        angles = np.clip(angles, LOW, HIGH)
    return HandPose(angles)


def pad_gaps(angles: np.ndarray, fingers: list[str], shape: HandShape) -> np.ndarray:
    """(N, 3 × fingers) metres from the thumb's pad to each named finger's, for angles (N, 24) in degrees.

    Fingertips that touch lie as far apart as their flesh is thick, in the direction that both pads face as well as may
    be. Two neighbours, named in order, touch the thumb with the inner edges of their pads.
    """
    frames = frames_of_angles(angles, shape)
    tips, faces, thickness = [], [], []
    for finger in ('thumb', *fingers):
        i, bone = _ORDER.index(finger), frames[:, FRAME_INDEX[f'{finger}_2'], :3]
        tips.append(bone[..., 3] + bone[..., 1] * (shape.segments[i, 2] - TIP_INSIDE))
        faces.append(-bone[..., 2])
        thickness.append(_PAD[i] * shape.depth[i, 2])
        if len(fingers) == 2 and finger != 'thumb':
            tips[-1] = tips[-1] + bone[..., 0] * _EDGE * (1 if finger == fingers[0] else -1)
    gaps = [
        tip - tips[0] - unit(faces[0] - face) * (thick + thickness[0])
        for tip, face, thick in zip(tips[1:], faces[1:], thickness[1:], strict=True)
    ]
    return np.concatenate(gaps, axis=1)
