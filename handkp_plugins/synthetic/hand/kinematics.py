"""Forward kinematics of the right hand: joint angles and shape → a frame for every bone, and 21 keypoints.

The palm's frame is the world: origin at the wrist, x towards the little finger, y towards the fingertips, z out of the
back, metres. A bone's frame has its origin at its near joint and the axes (across, along, dorsal), so that
``frame[:3, 1]`` is the bone's direction. Besides the bones there is one frame per joint turned by half of that joint's
angles: skin near a joint follows it, which keeps bent joints from collapsing.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGERS

from .shape import MEAN_SEGMENTS, HandShape

_SEGMENTS = [f'{finger}_{i}' for finger in FINGERS for i in range(3)]
_BONES = ('palm', 'forearm', 'ring_metacarpal', 'little_metacarpal', *_SEGMENTS)
_FRAMES = (*_BONES, 'wrist_half', *(f'{name}_half' for name in _SEGMENTS))
FRAME_INDEX: dict[str, int] = {name: i for i, name in enumerate(_FRAMES)}
SEGMENT_FRAMES = slice(4, 19)  # the frames of the 15 segments, three a finger from its root

FINGER_ROLL = np.radians([-9.0, -2.0, 4.0, 10.0])
"""Rotation of each long finger about its own axis, so that bent fingers point to the root of the thumb."""
_ROLLS = Rotation.from_euler('y', FINGER_ROLL[:, None]).as_matrix()
METACARPAL_ROOTS = np.array([[0.009, 0.024, 0.0], [0.017, 0.022, -0.002]])
METACARPAL_SHARES = np.array([0.5, 1.0])
"""Roots of the ring and little fingers' metacarpals in metres, and how much of the palm's arch each takes."""
_X, _, _Z = np.eye(3)
_outer = np.multiply.outer

# Keypoints lie where annotators see them, a share of the way to the next keypoint: the thumb's root further out, the
# middle joints at the crease, a little nearer to the palm.
_THUMB_ROOT_SHARE = 0.25
_PIP_SHARE = 0.04
TIP_INSIDE = 0.0045  # metres that a fingertip's keypoint lies inside the end of the flesh


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to length 1."""
    return vectors / np.sqrt(np.maximum(np.einsum('...i,...i->...', vectors, vectors), 1e-20))[..., None]


def apply_matrix(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply each vector (N, 3) by a matrix (M, 3): (N, M).

    Without BLAS, whose threads would fight over the cores when several processes render.
    """
    return np.einsum('ni,mi->nm', vectors, matrix)


def _rotation(axis: np.ndarray, angle: float | np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about a unit axis by angles (...) in radians."""
    vectors = _outer(angle, axis)
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape, 3)


def _frame(axes: np.ndarray, origin: np.ndarray | float) -> np.ndarray:
    frame = np.zeros((*axes.shape[:-2], 4, 4))
    frame[..., :3, :3], frame[..., :3, 3], frame[..., 3, 3] = axes, origin, 1
    return frame


_THUMB_ALONG = normalize(np.array([-0.62, 0.70, -0.35]))
_THUMB_ACROSS = normalize(np.cross(_THUMB_ALONG, [-0.72, -0.42, 0.50]))  # square to where the nail faces, roughly
_THUMB_REST = np.stack([_THUMB_ACROSS, _THUMB_ALONG, np.cross(_THUMB_ACROSS, _THUMB_ALONG)], axis=1)
_THUMB_LIFT = normalize(np.cross(_THUMB_ALONG, _Z))  # rotating about it leaves the palm's plane


def joint_frames(angles: np.ndarray, shape: HandShape) -> np.ndarray:
    """Frames (..., 35, 4, 4) in the order of :data:`FRAME_INDEX`, from angles (..., 24) in degrees."""
    angles = np.radians(angles)
    batch = angles.shape[:-1]
    # long fingers: MCP, abduction, PIP, DIP; thumb: flexion, abduction, rotation, MCP, IP
    fingers, thumb = angles[..., :16].reshape(*batch, 4, 4), angles[..., 16:21]
    arch, wrist_flexion, wrist_deviation = np.moveaxis(angles[..., 21:], -1, 0)
    flexion = np.zeros((*batch, 5, 3))
    flexion[..., 1:, :], flexion[..., 0, 1:] = fingers[..., [0, 2, 3]], thumb[..., 3:]
    sideways = fingers[..., 1] * [1, -1, -1, -1]
    halves = np.array([1.0, 0.5])  # bones turn by the whole angles, half joints by half of them

    # the palm is the world, so the forearm turns the other way
    wrist = _rotation(_Z, _outer(halves, wrist_deviation)) @ _rotation(_X, _outer(halves, wrist_flexion))
    forearm = _frame(wrist, 0.0)[..., None, :, :]

    base, origin = np.tile(np.eye(3), (*batch, 5, 1, 1)), np.tile(shape.roots, (*batch, 1, 1))
    metacarpals = _rotation(-_X, _outer(arch, METACARPAL_SHARES))
    pivots = METACARPAL_ROOTS * shape.palm
    base[..., 3:, :, :] = metacarpals
    origin[..., 3:, :] = pivots + np.einsum('...ij,...j->...i', metacarpals, shape.roots[3:] - pivots)
    base[..., 1:, :, :] @= _ROLLS

    # in a bone's own axes: sideways about dorsal first, then flexion about the fixed cross axis
    bends = _rotation(-_X, _outer(halves, flexion))  # (2, ..., 5, 3, 3, 3)
    bends[..., 1:, 0, :, :] @= _rotation(_Z, _outer(halves, sideways))
    thumb_flexion, abduction, roll = np.moveaxis(_outer(halves, thumb[..., :3]), -1, 0)
    lifted = _rotation(_THUMB_LIFT, -abduction) @ _rotation(_THUMB_ALONG, -roll) @ _THUMB_REST
    bends[..., 0, 0, :, :] = _rotation(_Z, -thumb_flexion) @ lifted
    segments = []
    for i in range(3):
        segments.append(_frame(base @ bends[..., i, :, :], origin))
        base = segments[i][0, ..., :3, :3]
        origin = origin + base[..., 1] * shape.segments[:, i, None]
    segments = np.stack(segments, axis=-3).reshape(2, *batch, 15, 4, 4)
    palm = np.broadcast_to(np.eye(4), (*batch, 1, 4, 4))
    bones = [palm, forearm[0], _frame(metacarpals, pivots), segments[0]]
    return np.concatenate([*bones, forearm[1], segments[1]], axis=-3)


def frame_scales(shape: HandShape) -> np.ndarray:
    """(35, 4, 4) scale of each frame along its own axes; a half joint takes the mean of its two neighbours."""
    palm, forearm = shape.palm, np.array([shape.forearm[0], np.sqrt(shape.forearm.prod()), shape.forearm[1]])
    own = np.stack([shape.breadth, shape.segments / MEAN_SEGMENTS, shape.depth], axis=-1)  # (5, 3, 3)
    before = np.concatenate([np.tile(palm, (5, 1, 1)), own[:, :-1]], axis=1)
    halves = 0.5 * (before + own)
    factors = [palm, forearm, palm, palm, *own.reshape(15, 3), 0.5 * (palm + forearm), *halves.reshape(15, 3)]
    return np.stack([np.diag([*factor, 1.0]) for factor in factors])


def keypoints_from_frames(frames: np.ndarray, shape: HandShape) -> np.ndarray:
    """Keypoints (..., 21, 3) in metres, placed where people mark them, in the palm's frame, from (..., 35, 4, 4)."""
    batch = frames.shape[:-3]
    bones = frames[..., SEGMENT_FRAMES, :3, :].reshape(*batch, 5, 3, 3, 4)
    points = np.zeros((*batch, 5, 4, 3))
    points[..., :3, :] = bones[..., 3]
    points[..., 3, :] = bones[..., 2, :, 3] + bones[..., 2, :, 1] * (shape.segments[:, 2:] - TIP_INSIDE)
    points[..., 0, 0, :] += _THUMB_ROOT_SHARE * (points[..., 0, 1, :] - points[..., 0, 0, :])
    points[..., 1:, 1, :] += _PIP_SHARE * (points[..., 1:, 0, :] - points[..., 1:, 1, :])
    return np.concatenate([np.zeros((*batch, 1, 3)), points.reshape(*batch, 20, 3)], axis=-2)


def hand_keypoints(angles: np.ndarray, shape: HandShape) -> np.ndarray:
    """Keypoints (..., 21, 3) in metres in the palm's frame, from angles (..., 24) in degrees."""
    return keypoints_from_frames(joint_frames(angles, shape), shape)
