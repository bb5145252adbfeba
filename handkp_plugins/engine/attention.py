"""What a deeply supervised network attends to in one image."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..models.backbones import PMSDSNet
from ..models.layers import spatial_attention
from .view import View, look


@dataclass(frozen=True)
class Attention(View):
    """A view and where the network attends to in it.

    Attributes:
        maps: maps[m][s] is the attention of stage m at scale s, in (0, 1), or None where that stage has none.
    """

    maps: list[list[np.ndarray | None]]


def find_attention(model: nn.Module, image: np.ndarray, bbox: np.ndarray) -> Attention:
    """Run the network on one box and keep the spatial attention g(Z) of each stage (P-MSDSNet, eq. 7).

    Args:
        model, image, bbox: As for :func:`handkp_plugins.engine.view.look`.

    Raises:
        ValueError: The network is no P-MSDSNet, or one without deep supervision.
    """
    backbone = model.backbone
    if not isinstance(backbone, PMSDSNet):
        raise ValueError(
            'model: allowed one with the backbone PMSDSNet or the neck TransformerNeck, received the backbone '
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
