"""MMPose's regression head in mixed precision."""

from mmpose.models.heads import RegressionHead
from mmpose.registry import MODELS
from mmpose.utils.typing import Features
from torch import Tensor


@MODELS.register_module()
class AmpRegressionHead(RegressionHead):
    """MMPose's ``RegressionHead`` whose coordinates are float32 under autocast, too.

    MMPose's turns them into NumPy arrays, which bfloat16 (``--amp``) has none of.
    """

    def forward(self, feats: Features) -> Tensor:
        """Features, the last (B, C, h, w) → normalised coordinates (B, K, 2)."""
        return super().forward(feats).float()
