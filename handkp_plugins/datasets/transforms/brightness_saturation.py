"""Random brightness and saturation."""

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms.common_transforms import PhotometricDistortion
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class BrightnessSaturation(PhotometricDistortion):
    """MMPose's ``PhotometricDistortion`` with brightness and saturation only, for every image (joint heads, 3.3).

    Args:
        brightness_delta: Largest change of brightness, of 255.
        saturation_range: Lowest and highest factor of the saturation.
    """

    def __init__(self, brightness_delta: int = 25, saturation_range: tuple[float, float] = (0.5, 1.5)) -> None:
        super().__init__(brightness_delta, (1, 1), saturation_range, 0)

    @cache_randomness
    def _random_flags(self) -> tuple:
        brightness = np.random.uniform(-self.brightness_delta, self.brightness_delta)
        saturation = np.random.uniform(self.saturation_lower, self.saturation_upper)
        return 0, 1, 0, 1, 0, brightness, 1, saturation, 0, None  # in PhotometricDistortion's order
