"""Details of a rig's textures per vertex: lighter and darker places, and the tilt of normals."""

import cv2
import numpy as np

from ..hand.kinematics import normalize
from ..hand.surface import neighbour_mean

_BLUR = 1.0  # pixels
_ROUNDS = 60  # of averaging over neighbours: what is coarser is tone, which the painter sets
_STRENGTH, _CHROMA, _LIMIT = 0.8, 0.5, 0.35  # textures for games are painted strongly
_STEEPEST = 0.25  # the least part of a normal along the surface's own; a smaller one means a damaged map


def tone_detail(faces: np.ndarray, corner_uv: np.ndarray, texture: np.ndarray, num_points: int) -> np.ndarray:
    """How much brighter or darker (V, 3), as a logarithm, a texture is at each point than around it."""
    mean = _vertex_mean(faces, _sample_texture(texture, corner_uv), num_points)
    tone = np.log(np.maximum(mean, 0.02))
    around, average = tone, neighbour_mean(faces, num_points)
    for _ in range(_ROUNDS):
        around = average @ around
    detail = tone - around
    grey = detail.mean(1, keepdims=True)
    return np.clip(_STRENGTH * (grey + _CHROMA * (detail - grey)), -_LIMIT, _LIMIT)


def normal_tilt(points: np.ndarray, faces: np.ndarray, corner_uv: np.ndarray, normal_map: np.ndarray) -> np.ndarray:
    """What a normal map adds (V, 3) to the unit normal at each point.

    The map's x and y run to the right and upwards in the texture, as glTF prescribes; the triangles' places in the
    texture give their directions on the surface. A triangle without an area there adds nothing.
    """
    edges = points[faces[:, 1:]] - points[faces[:, :1]]  # (F, 2, 3)
    steps = (corner_uv[:, 1:] - corner_uv[:, :1]).astype(float)  # (F, 2, 2)
    area = np.linalg.det(steps)
    flat = np.abs(area) < 1e-12
    steps[flat] = np.eye(2)
    right, down = (normalize(along) for along in np.linalg.solve(steps, edges).transpose(1, 0, 2))  # (F, 3) each
    normal = 2 * _sample_texture(normal_map, corner_uv) - 1  # (F, 3, 3)
    x, y = (normal[..., :2] / np.maximum(normal[..., 2:], _STEEPEST)).transpose(2, 0, 1)[..., None]  # (F, 3, 1) each
    tilt = (x * right[:, None] - y * down[:, None]) * ~flat[:, None, None]
    return _vertex_mean(faces, tilt, len(points))


def _sample_texture(image: np.ndarray, corner_uv: np.ndarray) -> np.ndarray:
    """An image's values (F, 3, 3), 0…1, at each corner of each triangle."""
    smooth = cv2.GaussianBlur(image, (0, 0), _BLUR).astype(np.float32) / 255
    height, width = image.shape[:2]
    column, row = (corner_uv % 1.0 * (width, height)).astype(int).transpose(2, 0, 1)
    return smooth[np.minimum(row, height - 1), np.minimum(column, width - 1)]


def _vertex_mean(faces: np.ndarray, values: np.ndarray, num_points: int) -> np.ndarray:
    """Mean (V, 3) over the corners (F, 3, 3) that meet at each vertex."""
    flat = values.reshape(-1, 3)
    total = np.stack([np.bincount(faces.ravel(), flat[:, i], num_points) for i in range(3)], axis=1)
    return total / np.maximum(np.bincount(faces.ravel(), minlength=num_points), 1)[:, None]
