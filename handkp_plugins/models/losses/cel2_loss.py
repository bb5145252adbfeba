"""Cross-entropy over positions, and squared error, weighted."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .softmax_heatmap_loss import SoftmaxHeatmapLoss


@MODELS.register_module()
class CEL2Loss(nn.Module):
    """α · cross-entropy + (1 − α) · squared error of score maps (MSAHP, eq. 2 to 4).

    The cross-entropy is that of a softmax over the map's positions with the target map scaled to sum 1, for visible
    keypoints alone. The squared error is that of the maps themselves: mean over the positions of all keypoints, those
    that are not visible included, whose target is zero everywhere. Eq. 3 could be read as a sum over the positions;
    then the squared error would outweigh the cross-entropy and hold its maps flat.

    Letters: B batch, K keypoints, h and w the map's size. Arguments of the call are those of ``KeypointMSELoss``.

    Args:
        alpha: α.
        loss_weight: Weight of the whole.
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
