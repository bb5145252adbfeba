"""The figure of what a network attends to in one image."""

from collections.abc import Sequence

import numpy as np
from torch import nn

from handkp_plugins.structures.skeleton import FINGERS
from handkp_plugins.visualization.attention_figures import stages_figure, tokens_figure

from .attention import find_attention
from .token_attention import find_token_attention, has_tokens

TIPS = tuple(ids[-1] for ids in FINGERS.values())


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
    """The figure of one hand, of the network's kind: :func:`tokens_figure` of a network with a TransformerNeck, by
    default of the fingertips, else :func:`stages_figure`.

    Args:
        model, image, box: As for :func:`handkp_plugins.apis.crop.look`.
        truth: x, y and visibility in the image, [21, 3].

    Raises:
        ValueError: The network has no attention, or no such keypoint, layer or head.
    """
    if has_tokens(model):
        return tokens_figure(find_token_attention(model, image, box, keypoints or TIPS), truth, layers, heads)
    return stages_figure(find_attention(model, image, box), truth, all_scales)
