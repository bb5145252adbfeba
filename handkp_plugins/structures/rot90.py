"""Turns by multiples of 90°, which move pixels onto pixels. NumPy only."""

from collections.abc import Sequence

import numpy as np


def turn(vectors: np.ndarray, quarters: int) -> np.ndarray:
    """Vectors (..., 2), x right and y down, turned as ``np.rot90(image, quarters)`` turns an image. Exact.

    A negative number turns back.
    """
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([(x, y), (y, -x), (-x, -y), (-y, x)][quarters % 4], -1)


def turned_size(size: Sequence[float], quarters: int) -> tuple[float, float]:
    """[W, H] of an image of this size after ``np.rot90(image, quarters)``."""
    return (size[1], size[0]) if quarters % 2 else (size[0], size[1])


def turn_pixels(points: np.ndarray, quarters: int, size: Sequence[float]) -> np.ndarray:
    """Where pixels (..., 2) of an image of [W, H] are after ``np.rot90(image, quarters)``.

    Pixel i has its centre at coordinate i, so that twice 90° is x' = W - 1 - x, y' = H - 1 - y.
    """
    before, after = ((np.asarray(s) - 1) / 2 for s in (size, turned_size(size, quarters)))
    return turn(np.asarray(points) - before, quarters) + after
