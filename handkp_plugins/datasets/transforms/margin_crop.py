"""Square crops with a margin."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

_BIASED = np.array([60, 54]) / 128
"""Mean position of the keypoints in the public crops, in shares of the crop (joint heads, section 4)."""


@TRANSFORMS.register_module()
class MarginCrop(BaseTransform):
    """Make a square crop around the hand's box, with the box in its middle or off it (joint heads, section 4).

    The public crops of RHD have the keypoints at (60, 54) of 128 on average; ``biased`` puts the middle of the box
    there. Both kinds have the size that keeps the margin in the biased crop, so that only the position differs.

    It replaces MMPose's ``GetBBoxCenterScale``.

    Args:
        biased: Whether the middle of the box is at (60, 54) of 128, instead of (64, 64).
        margin: Least distance between box and crop in pixels of the image.
    """

    def __init__(self, biased: bool = False, margin: float = 8.0) -> None:
        if margin < 0:
            raise ValueError(f'margin: expected a number of px from 0, got {margin}')
        self.biased = biased
        self.margin = margin

    def transform(self, results: dict) -> dict:
        """Add ``bbox_center`` and ``bbox_scale``, (1, 2), of ``bbox`` (1, 4)."""
        low, high = results['bbox'][:, :2], results['bbox'][:, 2:]
        side = ((high - low).max() / 2 + self.margin) / _BIASED.min()
        shift = (0.5 - _BIASED) * side if self.biased else 0
        center = (low + high) / 2 + shift
        scale = np.full((1, 2), side)
        return dict(results, bbox_center=center.astype(np.float32), bbox_scale=scale.astype(np.float32))

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(biased={self.biased}, margin={self.margin})'
