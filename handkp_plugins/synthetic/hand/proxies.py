"""A posed hand as a few dozen spheres, for cheap shadows and to reject hands that pass through themselves."""

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS

from .kinematics import FRAME_INDEX, frame_scales, joint_frames
from .pose import HandPose
from .shape import MEAN_SEGMENTS, HandShape

_FINGER_RADII = {
    'thumb': [(12.0, 11.5, 11.0), (10.2, 9.3, 9.4), (9.0, 8.2, 6.2)],
    'long': [(10.2, 9.4, 9.0), (8.6, 8.2, 7.8), (7.6, 7.2, 5.4)],
}  # mm, at 1/6, 1/2 and 5/6 of each segment
_SIZE = {'thumb': 1.0, 'index': 1.0, 'middle': 1.02, 'ring': 0.95, 'little': 0.84}
_PALM = [(x, y, z, 11.5) for y in (16, 36, 56, 74) for x, z in ((-20, -2), (-3, -1), (14, -2))]
_PALM_LITTLE = [(11, y, -3, 11.5) for y in (-4, 14, 32, 46)]  # from the metacarpal's own root
_FOREARM = [(x, y, 0.0, 17.0) for y in (-30, -60, -95) for x in (-11, 11)]


def _table() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frame ids (P,), homogeneous centres (P, 4) in the frame at mean shape, radii (P,), finger ids (P,; -1 none)."""
    palm = {'palm': _PALM, 'little_metacarpal': _PALM_LITTLE, 'forearm': _FOREARM}
    rows = [(bone, centre, radius, -1) for bone, spheres in palm.items() for *centre, radius in spheres]
    for i, finger in enumerate(FINGERS):
        for j, radii in enumerate(_FINGER_RADII['long' if i else 'thumb']):
            places = 1e3 * MEAN_SEGMENTS[i, j] * np.array([1 / 6, 1 / 2, 5 / 6])
            rows += [(f'{finger}_{j}', (0, y, -0.5), _SIZE[finger] * r, i) for y, r in zip(places, radii, strict=True)]
    frames, centres, radii, fingers = zip(*rows, strict=True)
    points = np.concatenate([1e-3 * np.array(centres), np.ones((len(centres), 1))], axis=1)
    return np.array([FRAME_INDEX[f] for f in frames]), points, 1e-3 * np.array(radii), np.array(fingers)


_FRAME, _CENTRE, _RADIUS, FINGER_OF_SPHERE = _table()


def proxy_spheres(frames: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Spheres (..., P, 4): x, y, z, radius of a right hand with frames (..., 35, 4, 4) and scales (35, 4, 4)."""
    spheres = np.einsum('...pij,pj->...pi', (frames @ scales)[..., _FRAME, :, :], _CENTRE)
    spheres[..., 3] = _RADIUS * np.where(FINGER_OF_SPHERE < 0, 1.0, scales[_FRAME, 0, 0])
    return spheres


def penetration_depths(spheres: np.ndarray) -> np.ndarray:
    """Metres (..., pairs) by which each sphere (..., P, 4) enters each of another finger or the palm.

    Negative where it does not. Segments that meet at a joint, and the roots of neighbouring fingers, may overlap.
    """
    one, other = spheres[..., _ONE, :], spheres[..., _OTHER, :]
    offset = one[..., :3] - other[..., :3]
    return one[..., 3] + other[..., 3] - np.sqrt(np.einsum('...i,...i->...', offset, offset))


def max_penetration(spheres: np.ndarray) -> np.ndarray:
    """Greatest depth (...) in metres by which a finger enters another or the palm, 0 where none does."""
    return np.maximum(penetration_depths(spheres).max(-1), 0.0)


def pose_penetration(pose: HandPose | np.ndarray, shape: HandShape) -> np.ndarray:
    """:func:`max_penetration` of one pose () or of angles (..., 24) in degrees."""
    angles = pose.angles if isinstance(pose, HandPose) else pose
    return max_penetration(proxy_spheres(joint_frames(angles, shape), frame_scales(shape)))


def _pairs() -> np.ndarray:
    """(P, P) whether two spheres must not overlap."""
    finger = FINGER_OF_SPHERE
    order = np.where(finger < 0, 0, (np.arange(len(finger)) - (finger < 0).sum()) % 9)  # from the finger's root
    both = (finger[:, None] >= 0) & (finger[None] >= 0) & (finger[:, None] != finger[None])
    both &= (order[:, None] >= 2) & (order[None] >= 2)
    same = (finger[:, None] == finger[None]) & (finger[:, None] >= 0) & (np.abs(order[:, None] - order[None]) >= 5)
    palm_id = np.isin(_FRAME, [FRAME_INDEX['palm'], FRAME_INDEX['little_metacarpal']])
    free = (finger >= 0) & (order >= 4)
    with_palm = palm_id[:, None] & free[None]
    return np.triu(both | same | with_palm | with_palm.T, 1)


_ONE, _OTHER = np.nonzero(_pairs())
