"""The whole image as the crop."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class WholeImageCenterScale(BaseTransform):
    """Make the whole image the crop, for video frames (hand keypoint transformer, section 2).

    It replaces MMPose's ``GetBBoxCenterScale``: ``TopdownAffine`` then scales the image in proportion and pads it on
    two sides. ``bbox`` is unchanged, because metrics divide by its size.
    """

    def transform(self, results: dict) -> dict:
        """Add ``bbox_center`` and ``bbox_scale``, (1, 2), of ``img`` (H, W, C)."""
        size = np.array([results['img'].shape[1::-1]], dtype=np.float32)  # W, H
        return dict(results, bbox_center=size / 2, bbox_scale=size)
