"""The whole picture as the network's view."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class WholeImageCenterScale(BaseTransform):
    """Let the network see the whole picture, for video frames (hand keypoint transformer, section 2).

    Stands in the place of MMPose's ``GetBBoxCenterScale``: ``TopdownAffine`` then scales the picture in proportion and
    pads it on two sides. The box of the hand stays what it is, for the metrics that divide by it.
    """

    def transform(self, results: dict) -> dict:
        """Add ``bbox_center`` and ``bbox_scale``, (1, 2), of ``img`` (H, W, C)."""
        size = np.array([results['img'].shape[1::-1]], dtype=np.float32)  # W, H
        return dict(results, bbox_center=size / 2, bbox_scale=size)
