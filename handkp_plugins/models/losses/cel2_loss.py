"""Weighted sum of cross-entropy over positions and squared error."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .softmax_heatmap_loss import SoftmaxHeatmapLoss


@MODELS.register_module()
class CEL2Loss(nn.Module):
    """α · cross-entropy + (1 − α) · squared error of score maps (MSAHP, eq. 2 to 4).

    The cross-entropy compares a softmax over the map's positions with the target map scaled to sum 1, for visible
    keypoints only. The squared error is a mean over the positions of all maps; the target of an invisible keypoint is
    zero everywhere. Eq. 3 could also mean a sum over the positions, but then the squared error would outweigh the
    cross-entropy and keep the maps flat.

    Letters: B batch, K keypoints, h and w the map's size. It is called like ``KeypointMSELoss``.
    """

    def __init__(self, alpha: float = 0.7, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f'alpha: expected a number from 0 to 1, got {alpha}')
        if loss_weight < 0:
            raise ValueError(f'loss_weight: expected a number from 0, got {loss_weight}')
        self.alpha = alpha
        self.loss_weight = loss_weight
        self.cross_entropy = SoftmaxHeatmapLoss(l1_weight=0)

    def forward(self, output: Tensor, target: Tensor, target_weights: Tensor | None = None) -> Tensor:
        """Score maps (B, K, h, w), maps (B, K, h, w) in [0, 1], weights (B, K) → scalar."""
        entropy = self.cross_entropy(output, target, target_weights)
        with torch.autocast(output.device.type, enabled=False):
            square = (output.float() - target.float()).square().mean()
        return self.loss_weight * (self.alpha * entropy + (1 - self.alpha) * square)
