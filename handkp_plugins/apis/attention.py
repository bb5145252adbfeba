"""What a deeply supervised network attends to in one image."""

import numpy as np
import torch
from torch import Tensor, nn

from handkp_plugins.models.backbones import PMSDSNet
from handkp_plugins.models.layers import spatial_attention
from handkp_plugins.structures.crops import Attention

from .crop import look


def find_attention(model: nn.Module, image: np.ndarray, bbox: np.ndarray) -> Attention:
    """Run the network on one box and keep the spatial attention g(Z) of each stage (P-MSDSNet, eq. 7).

    Args:
        model, image, bbox: As for :func:`handkp_plugins.apis.crop.look`.

    Raises:
        ValueError: The network is no P-MSDSNet, or one without deep supervision.
    """
    backbone = model.backbone
    if not isinstance(backbone, PMSDSNet):
        raise ValueError(
            'model: expected one with the backbone PMSDSNet or the neck TransformerNeck, got the backbone '
            f'{type(backbone).__name__}'
        )
    outputs: list[tuple[Tensor | None, ...]] = []
    handle = backbone.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        view = look(model, image, bbox)
    finally:
        handle.remove()
    supervised = outputs[0][1:]  # of the image as it is; a flip test adds a second, mirrored pass
    if not supervised:
        raise ValueError('model: it has no deep supervision, hence no attention')
    with torch.no_grad():
        maps = [None if z is None else spatial_attention(z.float())[0, 0].cpu().numpy() for z in supervised]
    n = backbone.num_scales
    return Attention(maps=[maps[i : i + n] for i in range(0, len(maps), n)], **view)
