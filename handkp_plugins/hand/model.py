"""The interface of every posable hand, and the procedural one: pose and shape in; vertices, normals and keypoints out."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from .kinematics import FRAME_INDEX, joint_frames, keypoints_from_frames
from .pose import LONG_FINGERS, HandPose
from .shape import MEAN_SEGMENTS, HandShape
from .template import HandTemplate, hand_template, smoothstep

Handedness = Literal['left', 'right']


@dataclass(frozen=True)
class PosedHand:
    """One hand in space, in metres; the palm's frame: x to the little finger (of a right hand), y to the fingertips,
    z out of the back. A left hand is the mirror image in x.

    Args:
        vertices: (V, 3).
        normals: (V, 3) unit, outward.
        faces: (F, 3) vertex ids, counter-clockwise seen from outside.
        keypoints: (21, 3) in the order of ``skeleton.KEYPOINT_NAMES``.
        forearm: (4, 4) frame of the forearm, its y axis pointing to the hand (for sleeves).
        handedness: which hand it is.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    keypoints: np.ndarray
    forearm: np.ndarray
    handedness: Handedness


class HandModel(Protocol):
    """A hand that can be posed. The vertex count and faces never change, so colours may be made once per vertex."""

    def pose(self, pose: HandPose, shape: HandShape, handedness: Handedness = 'right') -> PosedHand:
        """The hand in a pose and shape."""
        ...


class ProceduralHand:
    """The hand of this package's own making: one smooth mesh, skinned to 35 frames that carry the shape's scales."""

    def __init__(self) -> None:
        self.template: HandTemplate = hand_template()
        self._rest_inverse = np.linalg.inv(self.template.rest_frames)
        self._joint_mask, self._pad_mask = _bulge_masks(self.template)

    def pose(self, pose: HandPose, shape: HandShape, handedness: Handedness = 'right') -> PosedHand:
        """The hand in a pose and shape, by linear blend skinning.

        Raises:
            ValueError: ``handedness`` is neither 'left' nor 'right'.
        """
        if handedness not in ('left', 'right'):
            raise ValueError(f"handedness: 'left' or 'right' is allowed, received {handedness!r}")
        frames = joint_frames(pose, shape)
        transforms = frames @ _scales(shape) @ self._rest_inverse
        template = self.template
        blend = template.weights @ transforms[:, :3].reshape(len(frames), 12).astype(np.float32)
        blend = blend.reshape(-1, 3, 4)
        linear = blend[:, :, :3]
        bulge = shape.joint_bulge * self._joint_mask + shape.pad_bulge * self._pad_mask
        rest = template.vertices + bulge[:, None].astype(np.float32) * template.normals
        vertices = np.einsum('vij,vj->vi', linear, rest) + blend[:, :, 3]
        # normals turn with the cofactor matrix, which is right for scaled and sheared frames too
        columns = [linear[:, :, i] for i in range(3)]
        cofactor = [np.cross(columns[(i + 1) % 3], columns[(i + 2) % 3]) for i in range(3)]
        normals = sum(c * template.normals[:, i : i + 1] for i, c in enumerate(cofactor))
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        keypoints, faces = keypoints_from_frames(frames, shape), template.faces
        forearm = frames[FRAME_INDEX['forearm']]
        if handedness == 'left':
            flip = np.array([-1, 1, 1], dtype=np.float32)
            vertices, normals, keypoints, faces = vertices * flip, normals * flip, keypoints * flip, faces[:, ::-1]
            forearm = np.diag([-1.0, 1, 1, 1]) @ forearm @ np.diag([-1.0, 1, 1, 1])
        return PosedHand(vertices, normals, faces, keypoints, forearm, handedness)


def _scales(shape: HandShape) -> np.ndarray:
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


def _bulge_masks(template: HandTemplate) -> tuple[np.ndarray, np.ndarray]:
    """Per vertex: how far it belongs to a joint of a finger, and to the flesh between joints."""
    on_finger = template.finger >= 0
    place = template.place
    to_joint = np.minimum(np.abs(place - 1), np.abs(place - 2))
    joint = on_finger * (1 - smoothstep(to_joint, 0.05, 0.3)) * (place < 2.6)
    pad = (
        on_finger * smoothstep(to_joint, 0.15, 0.45) * smoothstep(place, 0.3, 0.6) * (1 - smoothstep(place, 2.6, 2.95))
    )
    return joint, pad
