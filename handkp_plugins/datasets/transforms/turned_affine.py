"""Crops rotated by multiples of 90°."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS

from handkp_plugins.structures.rot90 import rot90_points, rot90_size


@TRANSFORMS.register_module()
class TurnedTopdownAffine(TopdownAffine):
    """MMPose's ``TopdownAffine``, followed by a rotation of the crop by a multiple of 90° (joint heads, 3.3).

    The rotation moves pixels onto pixels, as ``np.rot90`` does: 180° moves (x, y) to (W - 1 - x, H - 1 - y). An input
    that is not square is cropped to the rotated size first, so that the crop contains the box at any rotation; the
    scale of the crops may differ. A rotation of the box (``RandomBBoxTransform``) comes before and adds up.

    One of ``turns`` is drawn for each sample; a single one is fixed, as for
    :class:`~handkp_plugins.models.tta.RotationTTA`.

    Args:
        input_size: Size [W, H] of the network's input.
        use_udp: As in ``TopdownAffine``.
        turns: Numbers of counterclockwise rotations by 90°, 0 to 3.
    """

    def __init__(self, input_size: tuple[int, int], use_udp: bool = False, turns: Sequence[int] = (0, 1, 2, 3)) -> None:
        super().__init__(input_size, use_udp)
        if not turns or not set(turns) <= {0, 1, 2, 3}:
            raise ValueError(f'turns: expected one or more of 0, 1, 2 and 3, got {turns}')
        self.turns = tuple(turns)
        self._upright = [TopdownAffine(rot90_size(self.input_size, k), use_udp) for k in (0, 1)]

    @cache_randomness
    def _draw(self) -> int:
        return int(np.random.choice(self.turns))

    def transform(self, results: dict) -> dict:
        """Add ``img`` (H, W, C), ``transformed_keypoints``, ``input_size``, ``input_center`` and ``input_scale``.

        Centre and scale are those of the upright crop; width and height of the scale are exchanged with the crop's.
        """
        k = self._draw()
        results = self._upright[k % 2].transform(results)
        size = results['input_size']
        results['img'] = np.ascontiguousarray(np.rot90(results['img'], k))
        results['input_size'] = self.input_size
        results['input_scale'] = np.array(rot90_size(results['input_scale'], k))
        if results['transformed_keypoints'].ndim:  # an image without labels has a scalar there
            results['transformed_keypoints'] = rot90_points(results['transformed_keypoints'], k, size)
        return results

    def __repr__(self) -> str:
        return f'{super().__repr__()[:-1]}, turns={self.turns})'
