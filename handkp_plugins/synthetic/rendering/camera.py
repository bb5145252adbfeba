"""A pinhole camera, and how to place points before it.

Camera frame: x right, y down, z forward, metres. Pixel (0, 0) is the centre of the first pixel.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """The principal point is the image's centre."""

    size: int  # width in pixels
    focal: float  # in pixels
    height: int | None = None  # None for square images

    @property
    def extent(self) -> np.ndarray:
        """Width and height (2,) in pixels."""
        return np.array([self.size, self.height or self.size])

    @property
    def matrix(self) -> np.ndarray:
        """Intrinsic matrix K (3, 3)."""
        x, y = (self.extent - 1) / 2
        return np.array([[self.focal, 0, x], [0, self.focal, y], [0, 0, 1.0]])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) in the camera frame, all before the camera."""
        return self.focal * points[..., :2] / points[..., 2:] + (self.extent - 1) / 2


def find_translation(points: np.ndarray, camera: Camera, centre: np.ndarray, extent: float) -> np.ndarray:
    """Translation (3,) that brings points (N, 3), already in camera axes, to a place in the image.

    Their bounding box gets its centre at a pixel (2,), and ``extent`` pixels along its longer side.
    """
    middle = 0.5 * (points.min(0) + points.max(0))
    depth = camera.focal * np.ptp(points[:, :2], axis=0).max() / extent
    offset = np.array([0.0, 0.0, depth])
    # box and depth depend on each other a little; a few rounds are enough
    for _ in range(4):
        pixels = camera.project(points - middle + offset)
        low, high = pixels.min(0), pixels.max(0)
        offset[2] = max(offset[2] * (high - low).max() / extent, 0.12)
        offset[:2] += (centre - 0.5 * (low + high)) * offset[2] / camera.focal
    return offset - middle
