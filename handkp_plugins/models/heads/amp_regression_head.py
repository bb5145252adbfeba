"""MMPose's regression head for mixed precision."""

from mmpose.models.heads import RegressionHead
from mmpose.registry import MODELS
from mmpose.utils.typing import Features
from torch import Tensor


@MODELS.register_module()
class AmpRegressionHead(RegressionHead):
    """MMPose's ``RegressionHead`` with float32 coordinates under autocast (``--amp``): NumPy has no bfloat16."""

    def forward(self, feats: Features) -> Tensor:
        """Features, the last of them (B, C, h, w) → normalised coordinates (B, K, 2)."""
        return super().forward(feats).float()
