"""Losses of maps of keypoints, called like MMPose's ``KeypointMSELoss``."""

import torch
from mmpose.models.losses import BCELoss
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SoftmaxHeatmapLoss(nn.Module):
    """Spatial-softmax cross-entropy plus an L1 distance of the soft-argmax.

    The output is the logits of one distribution over all positions; the target is the target map scaled to sum 1. An
    empty map is nearly optimal for the mean squared error, which therefore makes little progress at first; this loss
    has a large gradient from the start. The L1 term, in map pixels, pulls the mean position of the predicted
    distribution to that of the target. The loss is computed in float32 for any type of output.

    Letters: B batch, K keypoints, h and w the map's size. It is called like MMPose's ``KeypointMSELoss`` and is also a
    mean over all B·K maps, so the gradient does not depend on the division of a batch among processes. Decode with
    ``GaussianHeatmap(logits=True)``.

    Args:
        l1_weight: Weight of the soft-argmax term.
        use_target_weight: Whether to use the weight of each keypoint; otherwise only empty targets are ignored.
    """

    def __init__(self, l1_weight: float = 0.1, use_target_weight: bool = True, loss_weight: float = 1.0) -> None:
        super().__init__()
        for name, value in (('l1_weight', l1_weight), ('loss_weight', loss_weight)):
            if value < 0:
                raise ValueError(f'{name}: expected a number from 0, got {value}')
        self.l1_weight, self.use_target_weight, self.loss_weight = l1_weight, use_target_weight, loss_weight

    def forward(self, output: Tensor, target: Tensor, target_weights: Tensor | None = None) -> Tensor:
        """Logits (B, K, h, w), maps (B, K, h, w) ≥ 0, weights (B, K) → scalar."""
        if output.shape != target.shape:
            raise ValueError(f'output: expected the shape of target {tuple(target.shape)}, got {tuple(output.shape)}')
        h, w = output.shape[2:]
        with torch.autocast(output.device.type, enabled=False):
            logits, target = output.float(), target.float()
            total = target.sum((2, 3), keepdim=True)  # (B, K, 1, 1)
            known = (total > 0).float().flatten(1)  # (B, K); an empty target is no distribution
            target = target / total.clamp(min=torch.finfo(torch.float32).tiny)
            log_prob = logits.flatten(2).log_softmax(-1).view_as(logits)
            loss = -(target * log_prob).sum((2, 3))  # (B, K)
            if self.l1_weight:
                # the means of two distributions differ by the first moments of their difference
                excess = log_prob.exp() - target
                x, y = (torch.arange(n, device=output.device, dtype=torch.float32) for n in (w, h))
                distance = (excess.sum(2) @ x).abs() + (excess.sum(3) @ y).abs()
                loss = loss + self.l1_weight * distance
            if self.use_target_weight and target_weights is not None:
                known = known * target_weights
            return self.loss_weight * (loss * known).mean()


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


@MODELS.register_module()
class MapBCELoss(BCELoss):
    """MMPose's ``BCELoss`` for maps of logits, weighted by keypoint (joint heads, section 3.2.1).

    It is a mean over all pixels of all maps and is called like ``KeypointMSELoss``.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__(use_target_weight=True, loss_weight=loss_weight)

    def forward(self, output: Tensor, target: Tensor, target_weights: Tensor) -> Tensor:
        """Logits (B, K, h, w), maps (B, K, h, w) of 0 and 1, weights (B, K) → scalar."""
        return super().forward(output, target, target_weights[..., None, None])
