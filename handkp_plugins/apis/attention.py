"""What a network attends to in one image, and its figure."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmpose.apis import inference_topdown
from mmpose.structures.bbox import get_warp_matrix
from torch import Tensor, nn

from handkp_plugins.models.backbones import PMSDSNet
from handkp_plugins.models.layers import spatial_attention
from handkp_plugins.models.necks import TransformerNeck
from handkp_plugins.structures.crops import Attention, TokenAttention, to_input_space
from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS
from handkp_plugins.visualization.attention_figures import stages_figure, tokens_figure

TIPS = tuple(ids[-1] for ids in FINGER_KEYPOINTS.values())


def attention_figure(
    model: nn.Module,
    image: np.ndarray,
    box: np.ndarray,
    truth: np.ndarray | None = None,
    all_scales: bool = False,
    keypoints: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> np.ndarray:
    """Draw the attention in one hand: :func:`tokens_figure` if the network has a TransformerNeck (by default of the
    fingertips), else :func:`stages_figure`.

    ``truth`` is x, y and visibility in the image, [21, 3]. Raises ValueError if the network has no attention, or there
    is no such keypoint, layer or head.
    """
    if has_tokens(model):
        return tokens_figure(find_token_attention(model, image, box, keypoints or TIPS), truth, layers, heads)
    return stages_figure(find_attention(model, image, box), truth, all_scales)


def has_tokens(model: nn.Module) -> bool:
    """Whether the network has a :class:`TransformerNeck`."""
    return isinstance(getattr(model, 'neck', None), TransformerNeck)


def run_on_crop(model: nn.Module, image: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    """Run a network on one box; returns the fields of a :class:`~handkp_plugins.structures.crops.CropPrediction`.

    The network is from :func:`handkp_plugins.apis.inference.init_model`, the image BGR, uint8, [H, W, 3], and the box
    (x1, y1, x2, y2) in pixels.
    """
    (sample,) = inference_topdown(model, image, np.asarray(box, np.float32).reshape(1, 4))
    center, scale, size = sample.input_center, sample.input_scale, sample.input_size
    return dict(
        crop=cv2.warpAffine(image, get_warp_matrix(center, scale, 0.0, size), size, flags=cv2.INTER_LINEAR),
        keypoints=to_input_space(sample.pred_instances.keypoints[0, :, :2], center, scale, size),
        scores=sample.pred_instances.keypoint_scores[0],
        center=center,
        scale=scale,
    )


@torch.no_grad()
def find_attention(model: nn.Module, image: np.ndarray, box: np.ndarray) -> Attention:
    """Run a P-MSDSNet on one box and return the spatial attention g(Z) of each stage (eq. 7 of its paper).

    Raises ValueError if the network is no P-MSDSNet, or has no deep supervision.
    """
    backbone = model.backbone
    if not isinstance(backbone, PMSDSNet):
        raise ValueError(
            'model: expected the backbone PMSDSNet or the neck TransformerNeck, got the backbone '
            f'{type(backbone).__name__}'
        )
    outputs: list[tuple[Tensor | None, ...]] = []
    handle = backbone.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    try:
        prediction = run_on_crop(model, image, box)
    finally:
        handle.remove()
    supervised = outputs[0][1:]  # of the image as it is; a flip test adds a second, mirrored pass
    if not supervised:
        raise ValueError('model: expected a network with deep supervision, which has attention, got one without')
    maps = [None if z is None else spatial_attention(z.float())[0, 0].cpu().numpy() for z in supervised]
    n = backbone.num_scales
    return Attention(maps=[maps[i : i + n] for i in range(0, len(maps), n)], **prediction)


@torch.no_grad()
def find_token_attention(
    model: nn.Module, image: np.ndarray, box: np.ndarray, keypoints: Sequence[int]
) -> TokenAttention:
    """Run a network with a :class:`TransformerNeck` on one box; returns the attention at predicted keypoints of these
    ids, or raises ValueError if there is no such keypoint. Other arguments are those of :func:`run_on_crop`."""
    inputs: list[list[tuple[Tensor, Tensor | None]]] = []  # of each layer, each pass
    sizes: list[tuple[int, int]] = []
    handles = [model.neck.register_forward_hook(lambda module, _, output: sizes.append(output[0].shape[2:]))]
    for layer in model.neck.layers:
        received: list[tuple[Tensor, Tensor | None]] = []
        inputs.append(received)
        handles.append(layer.attention.register_forward_pre_hook(lambda _, given, kept=received: kept.append(given)))
    try:
        prediction = run_on_crop(model, image, box)
    finally:
        for handle in handles:
            handle.remove()
    (h, w), number = sizes[0], len(prediction['keypoints'])  # of the image as it is, not of a flip test's mirrored pass
    if not keypoints or not set(keypoints) <= set(range(number)):
        raise ValueError(f'keypoints: expected ids from 0 to {number - 1}, got {list(keypoints)}')
    index = _tokens(prediction['keypoints'][list(keypoints)], prediction['crop'].shape[1::-1], (w, h))
    rows, columns = [], []
    for layer, received in zip(model.neck.layers, inputs, strict=True):
        weights = layer.attention.weights(*received[0])[0].cpu()  # (n, L, L), of one layer at a time
        rows.append(weights[:, index])  # (n, k, L)
        columns.append(weights[:, :, index].mT)
    dependency, affected = (torch.stack(maps).unflatten(-1, (h, w)).numpy() for maps in (rows, columns))
    return TokenAttention(chosen=list(keypoints), dependency=dependency, affected=affected, **prediction)


def _tokens(points: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Numbers (k,) of the tokens that hold points (k, 2) of a crop; a point outside belongs to the nearest token."""
    cell = np.floor((points + 0.5) * grid / np.array(size)).astype(np.int64)  # x, y
    x, y = np.clip(cell, 0, np.array(grid) - 1).T
    return torch.from_numpy(y * grid[0] + x)
