"""Exact rotations by multiples of 90°, as ``np.rot90(image, k)`` rotates an image. NumPy only."""

from collections.abc import Sequence

import numpy as np


def rot90_vectors(vectors: np.ndarray, k: int) -> np.ndarray:
    """Rotate vectors (..., 2), x right and y down."""
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([(x, y), (y, -x), (-x, -y), (-y, x)][k % 4], -1)


def rot90_size(size: Sequence[float], k: int) -> tuple[float, float]:
    """Return the size [W, H] of an image after its rotation."""
    return (size[1], size[0]) if k % 2 else (size[0], size[1])


def rot90_points(points: np.ndarray, k: int, size: Sequence[float]) -> np.ndarray:
    """Rotate pixel coordinates (..., 2) with their image of ``size`` [W, H].

    Pixel i has its centre at coordinate i, so that 180° gives x' = W - 1 - x, y' = H - 1 - y.
    """
    before, after = ((np.asarray(s) - 1) / 2 for s in (size, rot90_size(size, k)))
    return rot90_vectors(np.asarray(points) - before, k) + after
