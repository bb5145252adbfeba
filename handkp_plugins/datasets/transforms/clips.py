"""Transforms of clips: lists of frames that share one camera."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from PIL import Image, ImageFilter
from torchvision.transforms import functional as tv

from .loading import LoadHandImage

_ADJUSTMENTS = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)


@TRANSFORMS.register_module()
class LoadHandClip(LoadHandImage):
    """:class:`LoadHandImage` for the frames of a clip: ``img_path``, V paths, → ``img``, V images (H, W, 3).

    In training, a clip with an unreadable frame is replaced by another clip.

    Args:
        kwargs: Those of :class:`LoadHandImage`.

    Raises:
        OSError: A frame is unreadable, in a test or after too many others.
        ValueError: A frame does not have the size ``ori_shape``, which the camera is for.
    """

    def transform(self, results: dict) -> dict | None:
        """Load the frames, or return ``None`` if one is unreadable."""
        images, unreadable = [], {}
        height, width = results['ori_shape']
        for path in results['img_path']:
            frame = super().transform(dict(img_path=path))
            if frame is None:
                self._unreported |= unreadable  # the next clip carries them
                return None
            got = frame['img'].shape
            if got[:2] != (height, width):
                raise ValueError(f'{path}: image: expected {width}×{height} as in its record, got {got[1]}×{got[0]}')
            unreadable |= frame.get('unreadable_images', {})
            images.append(frame['img'])
        results.update(img=images, img_shape=(height, width))
        if unreadable:
            results['unreadable_images'] = unreadable
        return results


@TRANSFORMS.register_module()
class ResizeClip(BaseTransform):
    """Resize frames and camera. Focal lengths and principal point are multiplied by the ratio of the sizes.

    Args:
        size: [W, H].
    """

    def __init__(self, size: tuple[int, int]) -> None:
        if len(size) != 2 or any(int(v) != v or v < 1 for v in size):
            raise ValueError(f'size: expected [W, H] of two positive integers, got {size}')
        self.size = tuple(size)

    def transform(self, results: dict) -> dict:
        """Change ``img``, ``img_shape`` and ``camera``."""
        ratio = np.divide(self.size, results['img_shape'][::-1])
        if (ratio != 1).any():
            how = cv2.INTER_AREA if (ratio < 1).all() else cv2.INTER_LINEAR
            results['img'] = [cv2.resize(image, self.size, interpolation=how) for image in results['img']]
        camera = (results['camera'] * [[ratio[0]], [ratio[1]], [1]]).astype(np.float32)
        results.update(camera=camera, img_shape=self.size[::-1], input_size=self.size)
        return results


@TRANSFORMS.register_module()
class ShiftClip(BaseTransform):
    """Shift all frames of a clip by the same integers in x and y; the free border is black.

    The principal point of the camera moves with them. Joints in the camera's frame do not change.

    Args:
        max_shift: Each shift is drawn between −max_shift and max_shift and truncated.
    """

    def __init__(self, max_shift: float = 48) -> None:
        if max_shift < 0:
            raise ValueError(f'max_shift: expected a number of pixels from 0, got {max_shift}')
        self.max_shift = max_shift

    def transform(self, results: dict) -> dict:
        """Change ``img`` and ``camera``."""
        shift = np.random.uniform(-self.max_shift, self.max_shift, 2).astype(int)
        results['img'] = [shift_image(image, *shift) for image in results['img']]
        results['camera'] = results['camera'].copy()
        results['camera'][:2, 2] += shift
        return results


def shift_image(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Shift an image (H, W, C) to the right and down; the free border is black."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_NEAREST)


@TRANSFORMS.register_module()
class ClipColorJitter(BaseTransform):
    """Change colours: factors are drawn once per clip, a blur and the order of the changes once per frame.

    Uses torchvision on Pillow images, as the authors of HTT did.

    Args:
        brightness, contrast, saturation: Ranges of the factors.
        hue: Range of the shift, in turns.
        blur: The largest radius, in pixels, of the Gaussian blur.
    """

    def __init__(
        self,
        brightness: Sequence[float] = (0.5, 1.5),
        contrast: Sequence[float] = (0.5, 1.5),
        saturation: Sequence[float] = (0.5, 1.5),
        hue: Sequence[float] = (-0.15, 0.15),
        blur: float = 0.5,
    ) -> None:
        ranges = dict(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
        for name, (low, high) in ranges.items():
            least, most = (-0.5, 0.5) if name == 'hue' else (0, np.inf)
            if not least <= low <= high <= most:
                raise ValueError(f'{name}: expected two rising numbers from {least} to {most}, got {low}, {high}')
        if blur < 0:
            raise ValueError(f'blur: expected a radius from 0, got {blur}')
        self.ranges = tuple(ranges.values())
        self.blur = blur

    def transform(self, results: dict) -> dict:
        """Change ``img``."""
        factors = [np.random.uniform(low, high) for low, high in self.ranges]
        results['img'] = [self._change(image, factors) for image in results['img']]
        return results

    def _change(self, image: np.ndarray, factors: list[float]) -> np.ndarray:
        """One frame (H, W, 3), BGR."""
        picture = Image.fromarray(image[..., ::-1])
        picture = picture.filter(ImageFilter.GaussianBlur(np.random.uniform(0, self.blur)))
        for i in np.random.permutation(len(factors)):
            picture = _ADJUSTMENTS[i](picture, factors[i])
        return np.asarray(picture)[..., ::-1]
