"""The model behind inverse kinematics: keypoints of many hands at once, their derivatives, and what poses are natural.

Legend: B hands, P = 36 parameters: 22 angles in radians (all but the wrist's, which keypoints do not show), a turn
about the camera's axes (3), the log of the scale (1), the place (3), the logs of the five fingers' lengths and of the
palm's breadth and length (7). Turns are steps from the rotation matrices that go with the parameters.
"""

from collections.abc import Iterator

import numpy as np

from ..hand.kinematics import (
    FINGER_ROLL,
    FRAME_INDEX,
    METACARPAL_ROOTS,
    METACARPAL_SHARE,
    THUMB_DIRECTION,
    frames_of_angles,
    keypoints_from_frames,
    rotation,
)
from ..hand.pose import ANGLE_NAMES, HIGH, LONG_FINGERS, LOW
from ..hand.shape import MEAN_ROOTS, HandShape

NUM_ANGLES = len(ANGLE_NAMES) - 2
TURN = slice(NUM_ANGLES, NUM_ANGLES + 3)
SCALE = NUM_ANGLES + 3
PLACE = slice(NUM_ANGLES + 4, NUM_ANGLES + 7)
LENGTHS = slice(NUM_ANGLES + 7, NUM_ANGLES + 14)
NUM_PARAMETERS = LENGTHS.stop
HAND_LENGTH = 0.185
"""Metres from the wrist to the tip of the mean hand's straight middle finger."""

_FREE, _LENGTH_ROOM = np.full(7, np.inf), np.full(7, np.log(1.35))
LOWEST = np.concatenate([np.radians(LOW[:NUM_ANGLES]), -_FREE, -_LENGTH_ROOM])
HIGHEST = np.concatenate([np.radians(HIGH[:NUM_ANGLES]), _FREE, _LENGTH_ROOM])
"""Limits (P,) of the parameters."""

_MEAN = HandShape()
_INDEX = {name: i for i, name in enumerate(ANGLE_NAMES)}
_ALONG = THUMB_DIRECTION / np.linalg.norm(THUMB_DIRECTION)
_LIFT = np.cross(_ALONG, [0.0, 0, 1]) / np.linalg.norm(_ALONG[:2])


def hand_points(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (B, 21, 3) in metres in the palm's frame, and their derivatives (B, 21, 3, P)."""
    angles = np.concatenate([np.degrees(parameters[:, :NUM_ANGLES]), np.zeros((len(parameters), 2))], axis=1)
    frames = frames_of_angles(angles, _MEAN)
    points = keypoints_from_frames(frames, _MEAN)
    slopes = np.zeros((*points.shape, NUM_PARAMETERS))
    lengths = np.exp(parameters[:, LENGTHS])
    for i, finger in enumerate(('thumb', *LONG_FINGERS)):
        bones = [frames[:, FRAME_INDEX[f'{finger}_{j}'], :3] for j in range(3)]
        root, own = bones[0][..., 3], slice(1 + 4 * i, 5 + 4 * i)
        stretch = lengths[:, i, None]
        points[:, own] = root[:, None] + (points[:, own] - root[:, None]) * stretch[:, None]
        slopes[:, own, :, LENGTHS.start + i] = points[:, own] - root[:, None]
        for name, axis, joint, first in _joints(i, finger, bones, frames, parameters):
            pivot = root + (joint - root) * stretch if first else joint
            moved = slice(own.start + first, own.stop)
            slopes[:, moved, :, _INDEX[name]] = np.cross(axis[:, None], points[:, moved] - pivot[:, None])
        for axis in range(2):  # the palm's breadth and length carry each finger along with its root
            at = MEAN_ROOTS[i, axis] * lengths[:, 5 + axis, None]
            slopes[:, own, axis, LENGTHS.start + 5 + axis] = at
            points[:, own, axis] += at - MEAN_ROOTS[i, axis]
    return points, slopes


def _joints(
    i: int, finger: str, bones: list[np.ndarray], frames: np.ndarray, parameters: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray, int]]:
    """Of each angle of a finger: name, axis (B, 3), a point on it (B, 3), and the first of the finger's four keypoints
    that it moves."""
    count = len(frames)
    if finger == 'thumb':
        yield 'thumb_flexion', np.tile([0.0, 0, -1], (count, 1)), bones[0][..., 3], 0
        across = rotation(np.array([0, 0, 1.0]), -parameters[:, _INDEX['thumb_flexion']])
        yield 'thumb_abduction', -across @ _LIFT, bones[0][..., 3], 0
        yield 'thumb_rotation', -bones[0][..., 1], bones[0][..., 3], 0
        yield 'thumb_mcp', -bones[1][..., 0], bones[1][..., 3], 2
        yield 'thumb_ip', -bones[2][..., 0], bones[2][..., 3], 3
        return
    base = np.broadcast_to(np.eye(3), (count, 3, 3))
    if finger in METACARPAL_ROOTS:
        base = frames[:, FRAME_INDEX[f'{finger}_metacarpal'], :3, :3]
        axis = np.tile([-METACARPAL_SHARE[finger], 0.0, 0], (count, 1))
        yield 'palm_arch', axis, np.tile(METACARPAL_ROOTS[finger], (count, 1)), 0
    base = base @ rotation(np.array([0, 1.0, 0]), FINGER_ROLL[i - 1])
    yield f'{finger}_mcp', -base[..., 0], bones[0][..., 3], 1
    yield f'{finger}_abd', bones[0][..., 2] * (1 if finger == 'index' else -1), bones[0][..., 3], 1
    yield f'{finger}_pip', -bones[1][..., 0], bones[1][..., 3], 2
    yield f'{finger}_dip', -bones[2][..., 0], bones[2][..., 3], 3


def seen_points(parameters: np.ndarray, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (B, 21, 3) in camera axes and the data's units, and their derivatives (B, 21, 3, P).

    Args:
        parameters: (B, P).
        turns: (B, 3, 3) rotations from the palm's frame to camera axes.
    """
    points, slopes = hand_points(parameters)
    scaled = turns * np.exp(parameters[:, SCALE])[:, None, None]
    points = points @ scaled.swapaxes(1, 2)
    slopes = scaled[:, None] @ slopes
    slopes[..., TURN] = np.cross(np.eye(3)[:, None, None], points).transpose(1, 2, 3, 0)
    slopes[..., SCALE] = points
    slopes[..., PLACE] = np.eye(3)
    return points + parameters[:, None, PLACE], slopes


def turned(turns: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Rotations (B, 3, 3) turned further by rotation vectors (B, 3) in radians."""
    angle = np.linalg.norm(step, axis=1)[:, None, None]
    x, y, z = step.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    safe = np.maximum(angle, 1e-9)
    further = np.eye(3) + np.sin(angle) / safe * cross + (1 - np.cos(angle)) / safe**2 * (cross @ cross)
    return further @ turns


def _natural() -> tuple[np.ndarray, np.ndarray]:
    rows: list[tuple[dict[str, float], float, float]] = []  # angles with factors, what they add up to, give or take
    for finger, spread in zip(LONG_FINGERS, (3.0, 0.0, 2.0, 5.0), strict=True):
        rows += [
            ({f'{finger}_mcp': 1}, 20, 60),
            ({f'{finger}_pip': 1}, 30, 60),
            ({f'{finger}_abd': 1}, spread, 9),
            ({f'{finger}_dip': 1, f'{finger}_pip': -0.6}, 0, 14),
        ]
    for one, other in zip(LONG_FINGERS[:-1], LONG_FINGERS[1:], strict=True):
        rows += [({f'{one}_{joint}': 1, f'{other}_{joint}': -1}, 0, 45) for joint in ('mcp', 'pip')]
    rows += [
        ({'thumb_flexion': 1}, 8, 25),
        ({'thumb_abduction': 1}, 5, 22),
        ({'thumb_rotation': 1, 'thumb_flexion': -0.4}, 8, 12),
        ({'thumb_mcp': 1}, 18, 25),
        ({'thumb_ip': 1}, 20, 35),
        ({'palm_arch': 1}, 3, 6),
    ]
    matrix, sums = np.zeros((len(rows) + 7, NUM_PARAMETERS)), np.zeros(len(rows) + 7)
    for row, (factors, total, give) in enumerate(rows):
        for name, factor in factors.items():
            matrix[row, _INDEX[name]] = factor / np.radians(give)
        sums[row] = total / give
    matrix[len(rows) :, LENGTHS] = np.eye(7) / 0.07
    return matrix, sums


NATURAL = _natural()
"""Mild wishes, matrix (K, P) and sums (K,): ``matrix @ parameters - sums`` is small where a hand looks natural. The end
joint bends 0.6 of the middle one's angle, fingers spread little, neighbours bend alike, lengths are average."""
