"""A network's view of one hand, and what it predicts there."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmpose.apis import inference_topdown
from mmpose.structures.bbox import get_warp_matrix
from torch import nn

from ..evaluation.functional import to_input_space


@dataclass(frozen=True)
class View:
    """What the network saw and what it made of it; coordinates are pixels of ``crop``.

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


def look(model: nn.Module, image: np.ndarray, bbox: np.ndarray) -> dict[str, Any]:
    """Run the network on one box; returns the fields of its :class:`View`.

    Args:
        model: From :func:`handkp_plugins.engine.inference.init_model`.
        image: BGR, uint8, [H, W, 3].
        bbox: (x1, y1, x2, y2) in pixels.
    """
    (sample,) = inference_topdown(model, image, np.asarray(bbox, np.float32).reshape(1, 4))
    center, scale, size = sample.input_center, sample.input_scale, sample.input_size
    warp = get_warp_matrix(center, scale, 0.0, size)
    return dict(
        crop=cv2.warpAffine(image, warp, size, flags=cv2.INTER_LINEAR),
        keypoints=to_input_space(sample.pred_instances.keypoints[0, :, :2], center, scale, size),
        scores=sample.pred_instances.keypoint_scores[0],
        center=center,
        scale=scale,
    )
