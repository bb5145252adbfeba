"""Crops turned by multiples of 90°."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS

from handkp_plugins.structures.rot90 import rot90_points, rot90_size


@TRANSFORMS.register_module()
class TurnedTopdownAffine(TopdownAffine):
    """MMPose's ``TopdownAffine`` whose crop is then turned by a multiple of 90°, pixels onto pixels (joint heads, 3.3).

    Image, keypoints and what is seen of them turn together: pixel (x, y) of the crop goes where ``np.rot90`` takes it,
    after 180° to (W - 1 - x, H - 1 - y). Inputs that are not square are cropped to the turned size first, so that the
    box lies within the view either way; the two views then may differ in scale. A rotation of the box by any angle
    (``RandomBBoxTransform``) comes before that, and adds up.

    In training one of ``turns`` is drawn for each sample. With a single one it is fixed, as for
    :class:`~handkp_plugins.models.tta.RotationTTA`.

    Args:
        input_size: Size [W, H] of the network's input.
        use_udp: As in ``TopdownAffine``.
        turns: numbers of quarters, counterclockwise, 0 to 3.
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

        The last two are those of the upright view, its width and height exchanged with it.
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
