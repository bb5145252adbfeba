"""Binary cross-entropy of maps."""

from mmpose.models.losses import BCELoss
from mmpose.registry import MODELS
from torch import Tensor


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
