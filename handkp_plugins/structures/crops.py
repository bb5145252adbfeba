"""Crops: what a network sees of an image, and what it predicts there. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def to_input_space(
    points: np.ndarray, center: np.ndarray, scale: np.ndarray, input_size: Sequence[float]
) -> np.ndarray:
    """Map image pixels (..., 2) to pixels of the upright crop that the network saw, of ``input_size`` [W, H].

    Centre (2,), and width and height (2,) of the crop are in pixels of the image.
    """
    center, scale, size = (np.asarray(v, dtype=np.float64).reshape(2) for v in (center, scale, input_size))
    return (np.asarray(points, dtype=np.float64) - center + scale / 2) / scale * size


def to_image_space(
    points: np.ndarray, center: np.ndarray, scale: np.ndarray, input_size: Sequence[float]
) -> np.ndarray:
    """Map pixels (..., 2) of the upright crop to pixels of the image: the inverse of :func:`to_input_space`."""
    center, scale, size = (np.asarray(v, dtype=np.float64).reshape(2) for v in (center, scale, input_size))
    return np.asarray(points, dtype=np.float64) / size * scale + center - scale / 2


@dataclass(frozen=True)
class CropPrediction:
    """The crop that a network saw and the keypoints that it predicts there, in pixels of ``crop``."""

    crop: np.ndarray  # BGR [h, w, 3]
    keypoints: np.ndarray  # [K, 2]
    scores: np.ndarray  # [K]
    center: np.ndarray  # of the crop in the image
    scale: np.ndarray  # width and height of the crop in the image

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the image, (..., 2), as pixels of the crop."""
        return to_input_space(points, self.center, self.scale, self.crop.shape[1::-1])


@dataclass(frozen=True)
class Attention(CropPrediction):
    """A prediction and where the network attends to in its crop: ``maps[m][s]`` is the attention of stage m at scale s,
    in (0, 1), or None where that stage has none."""

    maps: list[list[np.ndarray | None]]


@dataclass(frozen=True)
class TokenAttention(CropPrediction):
    """A prediction, and the attention to and from the positions of k ``chosen`` keypoints.

    Both are [N, n, k, h, w] for N layers, n heads and a map of h × w tokens: ``dependency``, what the keypoint's token
    takes from each, is its row of the attention, of sum 1; ``affected``, what each token takes from it, is its column.
    """

    chosen: list[int]  # ids
    dependency: np.ndarray
    affected: np.ndarray
