"""What a Transformer's tokens take from each other in one image."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from handkp_plugins.models.necks import TransformerNeck
from handkp_plugins.structures.crops import TokenAttention

from .crop import look


def has_tokens(model: nn.Module) -> bool:
    """Whether the network has a :class:`TransformerNeck`."""
    return isinstance(getattr(model, 'neck', None), TransformerNeck)


def find_token_attention(
    model: nn.Module, image: np.ndarray, bbox: np.ndarray, keypoints: Sequence[int]
) -> TokenAttention:
    """Run a network with a :class:`TransformerNeck` on one box, and compute the attention at predicted positions.

    Args:
        model, image, bbox: As for :func:`handkp_plugins.apis.crop.look`.
        keypoints: Ids of keypoints.

    Raises:
        ValueError: There is no such keypoint.
    """
    inputs: list[list[tuple[Tensor, Tensor | None]]] = []  # of each layer, each pass
    sizes: list[tuple[int, int]] = []
    handles = [model.neck.register_forward_hook(lambda module, _, output: sizes.append(output[0].shape[2:]))]
    for layer in model.neck.layers:
        received: list[tuple[Tensor, Tensor | None]] = []
        inputs.append(received)
        handles.append(layer.attention.register_forward_pre_hook(lambda _, given, kept=received: kept.append(given)))
    try:
        view = look(model, image, bbox)
    finally:
        for handle in handles:
            handle.remove()
    (h, w), number = sizes[0], len(view['keypoints'])  # of the image as it is; a flip test adds a mirrored pass
    if not keypoints or not set(keypoints) <= set(range(number)):
        raise ValueError(f'keypoints: expected ids from 0 to {number - 1}, got {list(keypoints)}')
    index = _tokens(view['keypoints'][list(keypoints)], view['crop'].shape[1::-1], (w, h))
    rows, columns = [], []
    for layer, received in zip(model.neck.layers, inputs, strict=True):
        with torch.no_grad():
            weights = layer.attention.weights(*received[0])[0].cpu()  # (n, L, L), of one layer at a time
        rows.append(weights[:, index])  # (n, k, L)
        columns.append(weights[:, :, index].mT)
    dependency, affected = (torch.stack(maps).unflatten(-1, (h, w)).numpy() for maps in (rows, columns))
    return TokenAttention(chosen=list(keypoints), dependency=dependency, affected=affected, **view)


def _tokens(points: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Numbers (k,) of the tokens that hold points (k, 2) of a crop; a point outside belongs to the nearest."""
    cell = np.floor((points + 0.5) * grid / np.array(size)).astype(np.int64)  # x, y
    x, y = np.clip(cell, 0, np.array(grid) - 1).T
    return torch.from_numpy(y * grid[0] + x)
