"""The model behind inverse kinematics: keypoints of many hands at once, their derivatives, and a prior over poses.

Legend: B hands, P = 36 parameters: 22 angles in radians (all but the wrist's, which keypoints do not show), a rotation
vector in the camera's axes (3), the log of the scale (1), the translation (3), the logs of the five fingers' lengths
and of the palm's breadth and length (7). The rotation vector is a step from the rotation matrix that goes with the
parameters.
"""

from itertools import pairwise

import numpy as np

from handkp_plugins.structures.skeleton import LONG_FINGERS

from ..hand.kinematics import (
    FINGER_ROLL,
    FRAME_INDEX,
    METACARPAL_ROOTS,
    METACARPAL_SHARES,
    SEGMENT_FRAMES,
    joint_frames,
    keypoints_from_frames,
    normalize,
)
from ..hand.pose import ANGLE_NAMES, HIGH, LOW
from ..hand.shape import MEAN_ROOTS, HandShape

NUM_ANGLES = len(ANGLE_NAMES) - 2
ROTATION = slice(NUM_ANGLES, NUM_ANGLES + 3)
SCALE = NUM_ANGLES + 3
TRANSLATION = slice(NUM_ANGLES + 4, NUM_ANGLES + 7)
LENGTHS = slice(NUM_ANGLES + 7, NUM_ANGLES + 14)
NUM_PARAMETERS = LENGTHS.stop
HAND_LENGTH = 0.185  # metres from the wrist to the tip of the mean hand's straight middle finger

_FREE, _LENGTH_LIMIT = np.full(7, np.inf), np.full(7, np.log(1.35))
LOWEST = np.concatenate([np.radians(LOW[:NUM_ANGLES]), -_FREE, -_LENGTH_LIMIT])
HIGHEST = np.concatenate([np.radians(HIGH[:NUM_ANGLES]), _FREE, _LENGTH_LIMIT])  # limits (P,) of the parameters

_MEAN = HandShape()
_INDEX = {name: i for i, name in enumerate(ANGLE_NAMES)}
_MCP_ACROSS = np.stack([np.cos(FINGER_ROLL), np.zeros(4), -np.sin(FINGER_ROLL)], axis=1)
"""(4, 3) axis across each long finger's root, in the frame of its metacarpal."""


def hand_keypoints_and_slopes(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (B, 21, 3) in metres in the palm's frame, and their derivatives (B, 21, 3, P)."""
    # The derivatives are written out: torch.func.jacfwd takes 15 times as long (204 against 14 ms for 256 hands).
    count, lengths = len(parameters), np.exp(parameters[:, LENGTHS])
    frames = joint_frames(np.degrees(np.pad(parameters[:, :NUM_ANGLES], ((0, 0), (0, 2)))), _MEAN)
    bones = frames[:, SEGMENT_FRAMES, :3].reshape(count, 5, 3, 3, 4)
    across, along, dorsal, joints = np.moveaxis(bones, -1, 0)  # (B, 5, 3, 3) each
    roots, stretch = joints[:, :, :1], lengths[:, :5, None, None]
    joints = roots + (joints - roots) * stretch
    points = keypoints_from_frames(frames, _MEAN)
    fingers = points[:, 1:].reshape(count, 5, 4, 3)  # a view, as is the next line's
    slopes = np.zeros((count, 21, 3, NUM_PARAMETERS))
    finger_slopes = slopes[:, 1:].reshape(count, 5, 4, 3, NUM_PARAMETERS)
    fingers[:] = roots + (fingers - roots) * stretch

    def rotate(name: str, finger: int, axis: np.ndarray, pivot: np.ndarray, first: int) -> None:
        """Add the slope of an angle that rotates a finger's keypoints from the first one on."""
        arm = fingers[:, finger, first:] - pivot[..., None, :]
        finger_slopes[:, finger, first:, :, _INDEX[name]] = np.cross(axis[..., None, :], arm)

    z = np.array([0.0, 0, 1])
    rotate('thumb_flexion', 0, -z, joints[:, 0, 0], 0)
    rotate('thumb_abduction', 0, -normalize(np.cross(along[:, 0, 0], z)), joints[:, 0, 0], 0)
    rotate('thumb_rotation', 0, -along[:, 0, 0], joints[:, 0, 0], 0)
    rotate('thumb_mcp', 0, -across[:, 0, 1], joints[:, 0, 1], 2)
    rotate('thumb_ip', 0, -across[:, 0, 2], joints[:, 0, 2], 3)
    for i, finger in enumerate(LONG_FINGERS, start=1):
        mcp_across = _MCP_ACROSS[i - 1]
        if finger in ('ring', 'little'):
            pivot, share = METACARPAL_ROOTS[i - 3], METACARPAL_SHARES[i - 3]
            rotate('palm_arch', i, np.array([-share, 0.0, 0.0]), pivot, 0)
            mcp_across = frames[:, FRAME_INDEX[f'{finger}_metacarpal'], :3, :3] @ mcp_across
        rotate(f'{finger}_mcp', i, -mcp_across, joints[:, i, 0], 1)
        rotate(f'{finger}_abd', i, dorsal[:, i, 0] * (1 if finger == 'index' else -1), joints[:, i, 0], 1)
        rotate(f'{finger}_pip', i, -across[:, i, 1], joints[:, i, 1], 2)
        rotate(f'{finger}_dip', i, -across[:, i, 2], joints[:, i, 2], 3)
    for i in range(5):
        finger_slopes[:, i, ..., LENGTHS.start + i] = fingers[:, i] - roots[:, i]
    for axis in range(2):  # the palm's breadth and length carry each finger along with its root
        moved = MEAN_ROOTS[:, axis, None] * lengths[:, 5 + axis, None, None]  # (B, 5, 1)
        finger_slopes[..., axis, LENGTHS.start + 5 + axis] = moved
        fingers[..., axis] += moved - MEAN_ROOTS[:, axis, None]
    return points, slopes


def camera_keypoints_and_slopes(parameters: np.ndarray, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (B, 21, 3) in camera axes and the data's units, and their derivatives (B, 21, 3, P)."""
    points, slopes = hand_keypoints_and_slopes(parameters)
    scaled = rotations * np.exp(parameters[:, SCALE])[:, None, None]
    points = points @ scaled.swapaxes(1, 2)
    slopes = scaled[:, None] @ slopes
    slopes[..., ROTATION] = np.cross(np.eye(3)[:, None, None], points).transpose(1, 2, 3, 0)
    slopes[..., SCALE] = points
    slopes[..., TRANSLATION] = np.eye(3)
    return points + parameters[:, None, TRANSLATION], slopes


def _prior() -> tuple[np.ndarray, np.ndarray]:
    rows: list[tuple[dict[str, float], float, float]] = []  # factors of angles, mean and deviation of their sum
    for finger, spread in zip(LONG_FINGERS, (3.0, 0.0, 2.0, 5.0), strict=True):
        rows += [({f'{finger}_mcp': 1}, 20, 60), ({f'{finger}_pip': 1}, 30, 60), ({f'{finger}_abd': 1}, spread, 9)]
        rows.append(({f'{finger}_dip': 1, f'{finger}_pip': -0.6}, 0, 14))
    for one, other in pairwise(LONG_FINGERS):
        rows += [({f'{one}_{joint}': 1, f'{other}_{joint}': -1}, 0, 45) for joint in ('mcp', 'pip')]
    rows += [({'thumb_flexion': 1}, 8, 25), ({'thumb_abduction': 1}, 5, 22)]
    rows += [({'thumb_rotation': 1, 'thumb_flexion': -0.4}, 8, 12)]
    rows += [({'thumb_mcp': 1}, 18, 25), ({'thumb_ip': 1}, 20, 35), ({'palm_arch': 1}, 3, 6)]
    matrix, mean = np.zeros((len(rows) + 7, NUM_PARAMETERS)), np.zeros(len(rows) + 7)
    for row, (factors, total, deviation) in enumerate(rows):
        for name, factor in factors.items():
            matrix[row, _INDEX[name]] = factor / np.radians(deviation)
        mean[row] = total / deviation
    matrix[len(rows) :, LENGTHS] = np.eye(7) / 0.07
    return matrix, mean


PRIOR = _prior()
"""A weak prior over poses, matrix (K, P) and mean (K,): ``matrix @ parameters - mean`` is small where a hand looks
natural. The end joint bends 0.6 of the middle one's angle, fingers spread little, neighbours bend alike, lengths are
average."""
