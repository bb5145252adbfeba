"""Keypoints as pixel and depth (2.5D), and back into the camera's space."""

from typing import TypeVar

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

Array = TypeVar('Array', np.ndarray, Tensor)

_WIDTH = 480  # image width at which the units below are those of HTT
_PIXELS = 100.0
_DEPTH = 0.4  # metres
_DEPTH_OF_FOCAL = 1e-4


@KEYPOINT_CODECS.register_module()
class PixelDepthLabel(BaseKeypointCodec):
    """Pixel u, v and depth Z of each keypoint, in units near 1 for the network (HTT, P_I; its code).

    The network predicts a, b, c for each keypoint. At an image width of 480, with focal length fx::

        u = 100 a + W/2        v = 100 b + H/2        Z = 0.4 + 1e-4 fx c

    At another width W, one unit of a and b is 100 W/480 px and one unit of c is 1e-4 fx 480/W metres: the same outputs
    give the same points at each width. Then X = (u − cx) Z / fx and Y = (v − cy) Z / fy.

    Letters: N frames, K keypoints; ``camera`` is the pinhole matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] of the image
    that the network sees, (3, 3) or with leading dimensions as the keypoints have. u and v are pixels of that image,
    X, Y, Z metres in the camera's frame: x right, y down, z forward. :meth:`to_pixels` and :meth:`to_points` take
    batches of tensors on any device.

    Args:
        input_size: [W, H] of the network's input.
    """

    auxiliary_encode_keys = {'camera'}
    label_mapping_table = dict(keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights')

    def __init__(self, input_size: tuple[int, int]) -> None:
        super().__init__()
        if len(input_size) != 2 or any(int(v) != v or v < 1 for v in input_size):
            raise ValueError(f'input_size: expected [W, H] of two positive integers, got {input_size}')
        self.input_size = (int(input_size[0]), int(input_size[1]))

    @property
    def scale(self) -> float:
        """W / 480: pixels of this width for one at 480."""
        return self.input_size[0] / _WIDTH

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None, camera: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return the targets of one clip: ``keypoint_labels`` (N, K, 3) u, v, Z, ``keypoint_weights`` (N, K), float32.

        Args:
            keypoints: (N, K, 3) X, Y, Z in metres, in front of the camera.
            keypoints_visible: (N, K) weights; ones by default. A keypoint of weight 0 may have any coordinates.
            camera: (3, 3).
        """
        if keypoints.ndim != 3 or keypoints.shape[2] != 3:
            raise ValueError(f'keypoints: expected shape (N, K, 3), got {keypoints.shape}')
        if camera is None or np.shape(camera) != (3, 3):
            got = None if camera is None else f'shape {np.shape(camera)}'
            raise ValueError(f'camera: expected intrinsics of shape (3, 3), got {got}')
        weights = np.ones(keypoints.shape[:2]) if keypoints_visible is None else keypoints_visible
        labelled = weights[..., None] > 0
        points = np.where(labelled, keypoints, [0.0, 0.0, 1.0])
        if not (points[..., 2] > 0).all():
            raise ValueError(f'keypoints: expected depths Z above 0, got {np.nanmin(points[..., 2]):g}')
        labels = np.where(labelled, project(points, np.asarray(camera, np.float64)), 0)
        return dict(keypoint_labels=labels.astype(np.float32), keypoint_weights=weights.astype(np.float32))

    def decode(self, encoded: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Network output of one clip (N, K, 3) → keypoints (N, K, 3) in metres, scores (N, K) of 1."""
        raw, intrinsics = (torch.as_tensor(x, dtype=torch.float64) for x in (encoded, camera))
        points = self.to_points(self.to_pixels(raw, intrinsics), intrinsics).numpy()
        return points, np.ones(points.shape[:2], np.float32)

    def to_pixels(self, raw: Tensor, camera: Tensor) -> Tensor:
        """a, b, c (…, K, 3) → u, v, Z (…, K, 3), in float32 or better. Gradients pass."""
        raw = raw if raw.dtype == torch.float64 else raw.float()
        center = raw.new_tensor(self.input_size) / 2
        focal = camera[..., :1, :1].to(raw)  # (…, 1, 1)
        pixel = _PIXELS * self.scale * raw[..., :2] + center
        depth = _DEPTH + _DEPTH_OF_FOCAL / self.scale * focal * raw[..., 2:]
        return torch.cat([pixel, depth], -1)

    @staticmethod
    def to_points(pixels: Tensor, camera: Tensor) -> Tensor:
        """u, v, Z (…, K, 3) → X, Y, Z (…, K, 3): the inverse of :func:`project`."""
        camera = camera.to(pixels)
        focal = camera.diagonal(dim1=-2, dim2=-1)[..., None, :2]  # (…, 1, 2)
        center = camera[..., None, :2, 2]  # (…, 1, 2)
        depth = pixels[..., 2:]
        return torch.cat([(pixels[..., :2] - center) / focal * depth, depth], -1)


def project(points: Array, camera: Array) -> Array:
    """X, Y, Z (…, K, 3) and a camera (…, 3, 3) → u, v, Z (…, K, 3)."""
    image = points @ camera.mT  # u Z, v Z, Z
    image[..., :2] = image[..., :2] / image[..., 2:]
    return image
