"""Which part of the image is the crop, before ``TopdownAffine`` cuts it out."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

_MARGIN = 1.02  # the last pixel's centre lies half a pixel inside the crop, of 50 pixels or more
_BIASED = np.array([60, 54]) / 128
"""Mean position of the keypoints in the public crops, in shares of the crop (joint heads, section 4)."""


@TRANSFORMS.register_module()
class CropCenterNoise(BaseTransform):
    """Shift the centre of the crop at random, and widen the crop until it has all labelled keypoints (MSAHP, 3.3).

    It follows ``GetBBoxCenterScale``, and changes ``bbox_center`` and ``bbox_scale`` (1, 2). ``TopdownAffine`` widens
    the shorter side to the input's aspect ratio, so that the keypoints stay inside.

    Args:
        variance: Variance of the normal noise on each coordinate of the centre, in px² of the image. The paper gives a
            variance of 8 pixels.
    """

    def __init__(self, variance: float = 8.0) -> None:
        if variance < 0:
            raise ValueError(f'variance: expected a number of px² from 0, got {variance}')
        self.variance = variance

    @cache_randomness
    def _noise(self) -> np.ndarray:
        return np.random.normal(0, self.variance**0.5, (1, 2)).astype(np.float32)

    def transform(self, results: dict) -> dict:
        """Change ``bbox_center`` and ``bbox_scale``."""
        center = results['bbox_center'] + self._noise()
        visible = results['keypoints_visible']
        labelled = results['keypoints'][(visible[..., 0] if visible.ndim == 3 else visible) > 0][:, :2]
        reach = _MARGIN * 2 * np.abs(labelled - center).max(0, initial=0)[None]
        results['bbox_center'] = center
        results['bbox_scale'] = np.maximum(results['bbox_scale'], reach).astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(variance={self.variance})'


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
