"""The mesh of a hand that a network (HaMuCo) predicts in an image."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample

from handkp_plugins.structures.crops import to_image_space

_MIRROR = np.array([-1.0, 1, 1])
_PLACES = 5  # decimals in files: hundredths of a millimetre


@dataclass(frozen=True)
class HandMesh:
    """A hand in metres in camera axes, x right, y down, z away, relative to keypoint 9.

    The camera is one of weak perspective: a point projects to ``center`` + ``scale`` · (x, y), in pixels of the image.
    """

    vertices: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3) vertex ids, counter-clockwise seen from outside
    keypoints_3d: np.ndarray  # (21, 3)
    rotations: np.ndarray  # (16, 3, 3) of the bones of a right hand
    shape: np.ndarray  # (10,)
    scale: float  # pixels per metre
    center: np.ndarray  # (2,) pixels

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (N, 2) of points (N, 3)."""
        return self.center + self.scale * points[:, :2]

    def mirror(self, width: int) -> 'HandMesh':
        """Return the left hand of an image of this width, found as a right one in the mirrored image.

        ``rotations`` stay those of the right hand.
        """
        return replace(
            self,
            vertices=self.vertices * _MIRROR,
            faces=self.faces[:, ::-1],
            keypoints_3d=self.keypoints_3d * _MIRROR,
            center=np.array([width - 1 - self.center[0], self.center[1]]),
        )

    def as_instance(self) -> dict[str, Any]:
        """Return what ``keypoints.json`` says of it: all but the vertices, which have a file of their own."""
        arrays = dict(keypoints_3d=self.keypoints_3d, rotations=self.rotations, shape=self.shape)
        camera = dict(scale=round(float(self.scale), 3), center=self.center.astype(float).round(2).tolist())
        return {name: a.astype(float).round(_PLACES).tolist() for name, a in arrays.items()} | dict(weak_camera=camera)

    def as_obj(self) -> str:
        """Return the mesh as a Wavefront ``.obj``, in metres, with y up and z towards the viewer."""
        lines = [f'v {x:.{_PLACES}f} {-y:.{_PLACES}f} {-z:.{_PLACES}f}' for x, y, z in self.vertices.astype(float)]
        lines += [f'f {a} {b} {c}' for a, b, c in (self.faces + 1).tolist()]
        return '\n'.join(['# a hand, metres', *lines]) + '\n'


def mesh_of(sample: PoseDataSample, faces: np.ndarray) -> HandMesh:
    """Return the mesh of a sample that :class:`HaMuCoHead` has predicted, in pixels of the image."""
    found = sample.pred_instances
    (scale, *shift), size = found.weak_camera[0], np.asarray(sample.input_size, float)
    per_pixel = float(sample.input_scale[0] / size[0])  # pixels of the image for one of the input
    middle = size * (np.array(shift) + 1) / 2  # of the input
    return HandMesh(
        vertices=found.vertices[0],
        faces=faces,
        keypoints_3d=found.keypoints_3d[0],
        rotations=found.rotations[0],
        shape=found.shape[0],
        scale=float(scale * size[0] * per_pixel),
        center=to_image_space(middle, sample.input_center, sample.input_scale, size),
    )
