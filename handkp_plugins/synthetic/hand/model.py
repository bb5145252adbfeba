"""Hands that can be posed, among them the procedural hand."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from .details import carved_template, relief
from .kinematics import FRAME_INDEX, frame_scales, joint_frames, keypoints_from_frames, normalize
from .pose import HandPose
from .proxies import proxy_spheres
from .shape import HandShape
from .skin import SkinLook, SkinPainter
from .template import FINE_STEP, HandTemplate

Handedness = Literal['left', 'right']


@dataclass(frozen=True)
class PosedHand:
    """One hand in metres in the palm's frame, see :mod:`.kinematics`. A left hand is the mirror image in x."""

    vertices: np.ndarray  # (V, 3)
    normals: np.ndarray  # (V, 3) unit, outward
    faces: np.ndarray  # (F, 3) vertex ids, counter-clockwise seen from outside
    keypoints: np.ndarray  # (21, 3) in the order of ``skeleton.KEYPOINT_NAMES``
    forearm: np.ndarray  # (4, 4) frame whose y axis points to the hand
    handedness: Handedness
    spheres: np.ndarray  # (P, 4) x, y, z, radius: a rough hand, for shadows and contacts


_WRIST_Y = -0.008  # metres along the resting arm; the hand starts here


class HandModel:
    """A hand that can be posed: one mesh, skinned to 35 frames that are scaled by the shape.

    ``resting`` (V, 3) are the mean hand's vertices at rest; ``is_hand`` (V,) is False for the arm's vertices.
    """

    def __init__(self, template: HandTemplate) -> None:
        self.template, self.painter = template, SkinPainter(template)
        self.resting, self.is_hand = template.vertices, template.vertices[:, 1] > _WRIST_Y
        self._weights, self._rest_inverse = csr_matrix(template.weights), np.linalg.inv(template.rest_frames)
        self._relief = relief(template)

    def pose(self, pose: HandPose, shape: HandShape, handedness: Handedness = 'right') -> PosedHand:
        """Pose the hand by linear blend skinning. Raises ValueError if ``handedness`` is unknown."""
        if handedness not in ('left', 'right'):
            raise ValueError(f"handedness: expected 'left' or 'right', got {handedness!r}")
        frames = joint_frames(pose.angles, shape)
        scales = frame_scales(shape)
        transforms = frames @ scales @ self._rest_inverse
        blend = (self._weights @ transforms[:, :3].reshape(len(frames), 12).astype(np.float32)).reshape(-1, 3, 4)
        linear = blend[:, :, :3]
        template = self.template
        rest, rest_normals = template.vertices, template.normals
        for name, (height, tilt) in self._relief.items():
            amount = np.float32(getattr(shape, name))
            rest = rest + amount * height[:, None] * template.normals
            rest_normals = rest_normals + amount * tilt
        vertices = np.einsum('vij,vj->vi', linear, rest) + blend[:, :, 3]
        # normals go with the cofactor matrix, which is right for scaled and sheared frames too
        columns = [linear[:, :, i] for i in range(3)]
        cofactor = [np.cross(columns[(i + 1) % 3], columns[(i + 2) % 3]) for i in range(3)]
        normals = normalize(sum(c * rest_normals[:, i : i + 1] for i, c in enumerate(cofactor)))
        keypoints, faces = keypoints_from_frames(frames, shape), template.faces
        forearm, spheres = frames[FRAME_INDEX['forearm']], proxy_spheres(frames, scales)
        if handedness == 'left':
            flip = np.array([-1, 1, 1], dtype=np.float32)
            vertices, normals, keypoints, faces = vertices * flip, normals * flip, keypoints * flip, faces[:, ::-1]
            mirror = np.diag([-1.0, 1, 1, 1])
            forearm, spheres = mirror @ forearm @ mirror, spheres * mirror.diagonal()
        return PosedHand(vertices, normals, faces, keypoints, forearm, handedness, spheres)

    def colors(self, look: SkinLook) -> np.ndarray:
        """Colours (V, 3) of the skin, sRGB in 0…1."""
        return self.painter.colors(look)


class ProceduralHand(HandModel):
    """The hand modelled by this package.

    Args:
        step: Millimetres from point to point of its skin. Larger ones draw small images faster.
    """

    def __init__(self, step: float = FINE_STEP) -> None:
        super().__init__(carved_template(step))
