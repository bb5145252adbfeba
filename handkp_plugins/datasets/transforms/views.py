"""Transforms of single views of a hand, whose camera moves with the image."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import get_warp_matrix

from handkp_plugins.structures.boxes import mirror_boxes


@TRANSFORMS.register_module()
class MirrorLeftHand(BaseTransform):
    """Mirror the image of a left hand, so that networks for right hands can take it.

    The whole world is mirrored in x, with S = diag(−1, 1, 1): an image column x becomes W − 1 − x, joints S X, cameras
    S R S and S t. So all views of a frame still agree. Right hands stay as they are.
    """

    def transform(self, results: dict) -> dict:
        """Change ``img``, labels and camera of a left hand; ``handedness`` stays."""
        if results.get('handedness', 'right') == 'right':
            return results
        mirror = np.array([-1, 1, 1], np.float32)
        last = results['img'].shape[1] - 1
        results['img'] = np.ascontiguousarray(results['img'][:, ::-1])
        results['keypoints'] = results['keypoints'] * mirror[:2] + np.float32([last, 0])
        results['bbox'] = mirror_boxes(results['bbox'], last + 1)
        if 'bbox_center' in results:
            raise ValueError('MirrorLeftHand: expected before GetBBoxCenterScale, got after it')
        for name in ('keypoints_3d', 'vertices', 'view_translation'):
            if name in results:
                results[name] = results[name] * mirror
        if 'view_rotation' in results:
            results['view_rotation'] = results['view_rotation'] * np.outer(mirror, mirror)
        if 'camera' in results:
            results['camera'] = results['camera'].copy()
            results['camera'][0, 2] = last - results['camera'][0, 2]
        return results


@TRANSFORMS.register_module()
class RandomViewCrop(BaseTransform):
    """Change size, centre and rotation of the crop at random, each uniformly (HaMuCo's code).

    MMPose's ``RandomBBoxTransform`` draws from a truncated normal distribution, which seldom turns a crop by 180°. It
    follows ``GetBBoxCenterScale``.

    Args:
        scale: Smallest and largest factor of the box.
        shift: Largest shift in x and in y, in sides of the box.
        rotation: Largest rotation to either side, in degrees.
    """

    def __init__(self, scale: Sequence[float] = (0.83, 1.35), shift: float = 0.23, rotation: float = 180.0) -> None:
        if not 0 < scale[0] <= scale[1] or len(scale) != 2:
            raise ValueError(f'scale: expected two rising factors above 0, got {tuple(scale)}')
        for name, value in dict(shift=shift, rotation=rotation).items():
            if value < 0:
                raise ValueError(f'{name}: expected a number from 0, got {value}')
        self.scale, self.shift, self.rotation = tuple(scale), shift, rotation

    @cache_randomness
    def _draw(self) -> tuple[float, np.ndarray, float]:
        low, high = self.scale
        angle = np.random.uniform(-self.rotation, self.rotation)
        return np.random.uniform(low, high), np.random.uniform(-self.shift, self.shift, (1, 2)), angle

    def transform(self, results: dict) -> dict:
        """Change ``bbox_center`` and ``bbox_scale`` (1, 2), and add ``bbox_rotation`` (1,) in degrees."""
        factor, shift, angle = self._draw()
        results['bbox_center'] = (results['bbox_center'] + shift * results['bbox_scale']).astype(np.float32)
        results['bbox_scale'] = (results['bbox_scale'] * factor).astype(np.float32)
        results['bbox_rotation'] = np.array([angle], np.float32)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(scale={self.scale}, shift={self.shift}, rotation={self.rotation})'


@TRANSFORMS.register_module()
class RotateView(BaseTransform):
    """Rotate the camera about its axis as ``TopdownAffine``, just before, has rotated the crop.

    ``view_rotation`` R becomes T R, and points X in the camera's frame T X, with the rotation T of the crop.
    """

    def transform(self, results: dict) -> dict:
        """Change ``view_rotation``, ``view_translation``, ``keypoints_3d`` and ``vertices``, where there are such."""
        angle = float(results['bbox_rotation'][0]) if 'bbox_rotation' in results else 0.0
        if not angle:
            return results
        warp = get_warp_matrix(results['input_center'], results['input_scale'], angle, results['input_size'])[:, :2]
        turn = np.eye(3, dtype=np.float32)
        turn[:2, :2] = warp / np.sqrt(np.linalg.det(warp))
        for name in ('keypoints_3d', 'vertices', 'view_translation'):
            if name in results:
                results[name] = results[name] @ turn.T
        if 'view_rotation' in results:
            results['view_rotation'] = turn @ results['view_rotation']
        return results


@TRANSFORMS.register_module()
class ChannelGain(BaseTransform):
    """Multiply each channel of the image by a factor of its own (HaMuCo's code).

    Args:
        delta: Factors are drawn between 1 − delta and 1 + delta.
    """

    def __init__(self, delta: float = 0.2) -> None:
        if not 0 <= delta < 1:
            raise ValueError(f'delta: expected a number from 0 and below 1, got {delta}')
        self.delta = delta

    @cache_randomness
    def _draw(self) -> np.ndarray:
        return np.random.uniform(1 - self.delta, 1 + self.delta, 3)

    def transform(self, results: dict) -> dict:
        """Change ``img`` (H, W, 3)."""
        gain = (np.arange(256)[:, None] * self._draw()).clip(0, 255).round().astype(np.uint8)  # (256, 3)
        results['img'] = cv2.LUT(results['img'], gain[None])
        return results
