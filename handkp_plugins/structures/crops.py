"""Crops: what a network sees of an image, and what it predicts there. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def to_input_space(
    points: np.ndarray, center: np.ndarray, scale: np.ndarray, input_size: Sequence[float]
) -> np.ndarray:
    """Map image pixels (..., 2) to pixels of the upright crop that the network saw.

    Args:
        points: x, y in the image.
        center: (2,) centre of the crop in the image.
        scale: (2,) width and height of the crop in the image, in pixels.
        input_size: [W, H] of the network's input.
    """
    center, scale, size = (np.asarray(v, dtype=np.float64).reshape(2) for v in (center, scale, input_size))
    return (np.asarray(points, dtype=np.float64) - center + scale / 2) / scale * size


@dataclass(frozen=True)
class CropPrediction:
    """The crop that a network saw and the keypoints that it predicts there, in pixels of ``crop``.

    Attributes:
        crop: What the network saw, BGR [h, w, 3].
        keypoints: [K, 2].
        scores: [K].
        center, scale: Centre, and width and height, of the crop in the image.
    """

    crop: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the image, (..., 2), as pixels of the crop."""
        return to_input_space(points, self.center, self.scale, self.crop.shape[1::-1])


@dataclass(frozen=True)
class Attention(CropPrediction):
    """A prediction and where the network attends to in its crop.

    Attributes:
        maps: maps[m][s] is the attention of stage m at scale s, in (0, 1), or None where that stage has none.
    """

    maps: list[list[np.ndarray | None]]


@dataclass(frozen=True)
class TokenAttention(CropPrediction):
    """A prediction, and the attention to and from the positions of some keypoints.

    Letters: N layers, n heads, k keypoints, h and w the size of the map of tokens.

    Attributes:
        chosen: The k keypoints' ids.
        dependency: [N, n, k, h, w], what the keypoint's token takes from each: its row of the attention, of sum 1.
        affected: [N, n, k, h, w], what each token takes from the keypoint's: its column.
    """

    chosen: list[int]
    dependency: np.ndarray
    affected: np.ndarray
