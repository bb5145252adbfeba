"""ResNet that checks what it is given."""

from math import prod

from mmpose.models.backbones import ResNet
from mmpose.registry import MODELS
from torch import Tensor

from ..layers import check_input_size


@MODELS.register_module()
class SizeCheckedResNet(ResNet):
    """MMPose's ``ResNet`` that refuses images which its stride does not divide, where MMPose's rounds up.

    A rounded map no longer lies over the image as the decoder takes it to, and keypoints are off by some pixels.
    Arguments are those of ``ResNet``.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W) → maps at ``out_indices``."""
        check_input_size(x, 4 * prod(self.strides[: max(self.out_indices) + 1]))
        return super().forward(x)
