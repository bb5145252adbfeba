"""A network's view of one hand, and what it predicts there."""

from typing import Any

import cv2
import numpy as np
from mmpose.apis import inference_topdown
from mmpose.structures.bbox import get_warp_matrix
from torch import nn

from handkp_plugins.structures.crops import to_input_space


def look(model: nn.Module, image: np.ndarray, bbox: np.ndarray) -> dict[str, Any]:
    """Run the network on one box; returns the fields of its :class:`View`.

    Args:
        model: From :func:`handkp_plugins.apis.inference.init_model`.
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
