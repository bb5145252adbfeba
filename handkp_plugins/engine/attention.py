"""What a deeply supervised network attends to in one image."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from mmpose.apis import inference_topdown
from mmpose.structures.bbox import get_warp_matrix
from torch import Tensor, nn

from ..evaluation.functional import to_input_space
from ..models.backbones import PMSDSNet
from ..models.layers import spatial_attention


@dataclass(frozen=True)
class Attention:
    """The network's view of one hand and what it made of it; coordinates are pixels of ``crop``.

    Attributes:
        crop: What the network saw, BGR [h, w, 3].
        maps: maps[m][s] is the attention of stage m at scale s, in (0, 1), or None where that stage has none.
        keypoints: [K, 2].
        scores: [K].
        center, scale: Centre, and width and height, of the crop in the image.
    """

    crop: np.ndarray
    maps: list[list[np.ndarray | None]]
    keypoints: np.ndarray
    scores: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the image, (..., 2), as pixels of the crop."""
        return to_input_space(points, self.center, self.scale, self.crop.shape[1::-1])


def find_attention(model: nn.Module, image: np.ndarray, bbox: np.ndarray) -> Attention:
    """Run the network on one box and keep the spatial attention g(Z) of each stage (P-MSDSNet, eq. 7).

    Args:
        model: From :func:`handkp_plugins.engine.inference.init_model`.
        image: BGR, uint8, [H, W, 3].
        bbox: (x1, y1, x2, y2) in pixels.

    Raises:
        ValueError: The network is no P-MSDSNet, or one without deep supervision.
    """
    backbone = model.backbone
    if not isinstance(backbone, PMSDSNet):
        raise ValueError(f'model: allowed one with the backbone PMSDSNet, received {type(backbone).__name__}')
    outputs: list[tuple[Tensor | None, ...]] = []
    handle = backbone.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        (sample,) = inference_topdown(model, image, np.asarray(bbox, np.float32).reshape(1, 4))
    finally:
        handle.remove()
    supervised = outputs[0][1:]  # of the image as it is; a flip test adds a second, mirrored pass
    if not supervised:
        raise ValueError('model: it has no deep supervision, hence no attention')
    with torch.no_grad():
        maps = [None if z is None else spatial_attention(z.float())[0, 0].cpu().numpy() for z in supervised]
    n = backbone.num_scales
    center, scale, size = sample.input_center, sample.input_scale, sample.input_size
    warp = get_warp_matrix(center, scale, 0.0, size)
    return Attention(
        crop=cv2.warpAffine(image, warp, size, flags=cv2.INTER_LINEAR),
        maps=[maps[i : i + n] for i in range(0, len(maps), n)],
        keypoints=to_input_space(sample.pred_instances.keypoints[0, :, :2], center, scale, size),
        scores=sample.pred_instances.keypoint_scores[0],
        center=center,
        scale=scale,
    )
