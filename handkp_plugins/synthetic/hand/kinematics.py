"""Forward kinematics of the right hand: pose and shape → a frame for every bone, and 21 keypoints.

The palm's frame is the world: origin at the wrist, x towards the little finger, y towards the fingertips, z out of the
back, metres. A bone's frame has its origin at its near joint and the axes (across, along, dorsal), so that
``frame[:3, 1]`` is the bone's direction. Besides the bones there is one frame per joint turned by half of that joint's
angles: skin near a joint follows it, which keeps bent joints from collapsing.
"""

import numpy as np

from .pose import ANGLE_NAMES, LONG_FINGERS, HandPose
from .shape import MEAN_SEGMENTS, HandShape

BONE_NAMES: tuple[str, ...] = (
    'palm', 'forearm', 'ring_metacarpal', 'little_metacarpal',
    'thumb_0', 'thumb_1', 'thumb_2',
    *(f'{finger}_{i}' for finger in LONG_FINGERS for i in range(3)),
)  # fmt: skip
HALF_NAMES: tuple[str, ...] = (
    'wrist_half',
    *(f'{finger}_{i}_half' for finger in ('thumb', *LONG_FINGERS) for i in range(3)),
)
FRAME_INDEX: dict[str, int] = {name: i for i, name in enumerate(BONE_NAMES + HALF_NAMES)}

FINGER_ROLL = np.radians([-9.0, -2.0, 4.0, 10.0])
"""Turn of each finger about its own axis, so that bent fingers point to the root of the thumb."""
THUMB_DIRECTION = np.array([-0.62, 0.70, -0.35])
THUMB_DORSAL = np.array([-0.72, -0.42, 0.50])
"""Direction of the thumb's metacarpal, and where its nail faces, at zero angles; the second is made square to it."""
METACARPAL_ROOTS = {'ring': np.array([0.009, 0.024, 0.0]), 'little': np.array([0.017, 0.022, -0.002])}
METACARPAL_SHARE = {'ring': 0.5, 'little': 1.0}  # of the palm's arch

# Where people mark a keypoint, as against the joint's centre: (keypoint, share of the way to the next keypoint).
# Annotators see the thumb's root further out, and the middle joints at the crease, a little nearer to the palm.
_THUMB_ROOT_SHARE = 0.25
_PIP_SHARE = 0.04
TIP_INSIDE = 0.0045
"""Metres that a fingertip's keypoint lies inside the end of the flesh."""


def rotation(axis: np.ndarray, angle: float | np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about one unit axis by angles (...) in radians (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.asarray(angle)[..., None, None]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, 3) brought to length 1."""
    return vectors / np.sqrt(np.maximum(np.einsum('ni,ni->n', vectors, vectors), 1e-20))[:, None]


def turn(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Vectors (N, 3) each multiplied by a matrix (M, 3): (N, M).

    Without BLAS, whose threads would fight over the cores when several processes render.
    """
    return np.einsum('ni,mi->nm', vectors, matrix)


def _frame(axes: np.ndarray, origin: np.ndarray) -> np.ndarray:
    frame = np.zeros((*axes.shape[:-2], 4, 4))
    frame[..., :3, :3], frame[..., :3, 3], frame[..., 3, 3] = axes, origin, 1
    return frame


def _bend(flexion: np.ndarray, sideways: np.ndarray | float = 0.0) -> np.ndarray:
    """Rotation in a bone's own axes: sideways about dorsal first, then flexion about the fixed cross axis."""
    return rotation(np.array([-1.0, 0, 0]), flexion) @ rotation(np.array([0, 0, 1.0]), sideways)


def _thumb_root(flexion: np.ndarray, abduction: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Axes of the thumb's metacarpal in the palm's frame."""
    along = THUMB_DIRECTION / np.linalg.norm(THUMB_DIRECTION)
    dorsal = THUMB_DORSAL - along * (THUMB_DORSAL @ along)
    dorsal /= np.linalg.norm(dorsal)
    zero = np.stack([np.cross(along, dorsal), along, dorsal], axis=1)
    lift = np.cross(along, [0.0, 0, 1])  # square to the thumb and the palm's normal: turning about it leaves the palm
    return (
        rotation(np.array([0, 0, 1.0]), -flexion)
        @ rotation(lift / np.linalg.norm(lift), -abduction)
        @ rotation(along, -turn)
        @ zero
    )


def joint_frames(pose: HandPose, shape: HandShape) -> np.ndarray:
    """Frames (35, 4, 4) of all bones and half joints, indexed by :data:`FRAME_INDEX`."""
    return frames_of_angles(pose.angles, shape)


def frames_of_angles(angles: np.ndarray, shape: HandShape) -> np.ndarray:
    """Frames (..., 35, 4, 4) of many poses of one hand at once, from angles (..., 24) in degrees."""
    angle = dict(zip(ANGLE_NAMES, np.moveaxis(np.radians(angles), -1, 0), strict=True))
    frames: dict[str, np.ndarray] = {'palm': np.broadcast_to(np.eye(4), (*np.shape(angles)[:-1], 4, 4))}
    origin = np.zeros(3)
    for name, share in (('forearm', 1.0), ('wrist_half', 0.5)):
        # the palm is the world, so the forearm turns the other way
        axes = _bend(share * angle['wrist_flexion'], -share * angle['wrist_deviation']).swapaxes(-1, -2)
        frames[name] = _frame(axes, origin)

    roots = shape.roots
    for i, finger in enumerate(LONG_FINGERS):
        base, root = np.eye(3), roots[i + 1]
        if finger in METACARPAL_ROOTS:
            pivot = METACARPAL_ROOTS[finger] * shape.palm
            base = _bend(METACARPAL_SHARE[finger] * angle['palm_arch'])
            frames[f'{finger}_metacarpal'] = _frame(base, pivot)
            root = pivot + base @ (root - pivot)
        base = base @ rotation(np.array([0, 1.0, 0]), FINGER_ROLL[i])
        side = angle[f'{finger}_abd'] * (1 if finger == 'index' else -1)
        bends = [(angle[f'{finger}_mcp'], side), (angle[f'{finger}_pip'], 0.0), (angle[f'{finger}_dip'], 0.0)]
        _chain(frames, finger, base, root, bends, shape.segments[i + 1])

    root_angles = np.stack([angle[f'thumb_{name}'] for name in ('flexion', 'abduction', 'rotation')])
    frames['thumb_0_half'] = _frame(_thumb_root(*(0.5 * root_angles)), roots[0])
    frames['thumb_0'] = _frame(_thumb_root(*root_angles), roots[0])
    start = roots[0] + frames['thumb_0'][..., :3, 1] * shape.segments[0, 0]
    bends = [(angle['thumb_mcp'], 0.0), (angle['thumb_ip'], 0.0)]
    _chain(frames, 'thumb', frames['thumb_0'][..., :3, :3], start, bends, shape.segments[0, 1:], first=1)
    return np.stack([frames[name] for name in FRAME_INDEX], axis=-3)


def _chain(
    frames: dict[str, np.ndarray],
    finger: str,
    base: np.ndarray,
    origin: np.ndarray,
    bends: list[tuple[np.ndarray, np.ndarray | float]],
    lengths: np.ndarray,
    first: int = 0,
) -> None:
    """Add a row of segments, each bent against the one before, to ``frames``."""
    for i, ((flexion, sideways), length) in enumerate(zip(bends, lengths, strict=True), start=first):
        frames[f'{finger}_{i}_half'] = _frame(base @ _bend(0.5 * flexion, 0.5 * sideways), origin)
        base = base @ _bend(flexion, sideways)
        frames[f'{finger}_{i}'] = _frame(base, origin)
        origin = origin + base[..., :, 1] * length


def frame_scales(shape: HandShape) -> np.ndarray:
    """(35, 4, 4) scale of each frame along its own axes; a half joint takes the mean of its two neighbours."""
    scale = {
        'palm': shape.palm,
        'forearm': np.array([shape.forearm[0], np.sqrt(shape.forearm.prod()), shape.forearm[1]]),
    }
    scale['wrist_half'] = 0.5 * (scale['palm'] + scale['forearm'])
    scale['ring_metacarpal'] = scale['little_metacarpal'] = shape.palm
    lengths = shape.segments / MEAN_SEGMENTS
    for i, finger in enumerate(('thumb', *LONG_FINGERS)):
        before = shape.palm
        for j in range(3):
            own = np.array([shape.breadth[i, j], lengths[i, j], shape.depth[i, j]])
            scale[f'{finger}_{j}'], scale[f'{finger}_{j}_half'] = own, 0.5 * (before + own)
            before = own
    out = np.tile(np.eye(4), (len(FRAME_INDEX), 1, 1))
    for name, i in FRAME_INDEX.items():
        out[i, [0, 1, 2], [0, 1, 2]] = scale[name]
    return out


def keypoints_from_frames(frames: np.ndarray, shape: HandShape) -> np.ndarray:
    """Keypoints (..., 21, 3) in metres, placed where people mark them, in the palm's frame of a right hand.

    Args:
        frames: (..., 35, 4, 4).
    """
    points = np.zeros((*frames.shape[:-3], 21, 3))
    for i, finger in enumerate(('thumb', *LONG_FINGERS)):
        bones = [frames[..., FRAME_INDEX[f'{finger}_{j}'], :3, :] for j in range(3)]
        for j, bone in enumerate(bones):
            points[..., 1 + 4 * i + j, :] = bone[..., 3]
        points[..., 4 + 4 * i, :] = bones[2][..., 3] + bones[2][..., 1] * (shape.segments[i, 2] - TIP_INSIDE)
    points[..., 1, :] += _THUMB_ROOT_SHARE * (points[..., 2, :] - points[..., 1, :])
    for pip in (6, 10, 14, 18):
        points[..., pip, :] += _PIP_SHARE * (points[..., pip - 1, :] - points[..., pip, :])
    return points
