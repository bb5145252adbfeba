"""Random shifts of the crop."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

_MARGIN = 1.02  # the last pixel's centre lies half a pixel inside the crop, of 50 pixels or more


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
