"""Loading of images, also if some are broken, and packing of samples."""

import logging
from functools import partial
from typing import Any

import mmengine.fileio as fileio
from mmengine.logging import print_log
from mmpose.datasets.transforms import LoadImage, PackPoseInputs
from mmpose.registry import TRANSFORMS

from handkp_plugins.fileio.images import open_image


@TRANSFORMS.register_module()
class LoadHandImage(LoadImage):
    """MMPose's ``LoadImage`` that skips and reports unreadable training images.

    A file is unreadable if it is missing, cannot be opened, is a truncated JPEG, or the decoder refuses it; members of
    shards also if they are damaged. In training the transform then returns ``None``, and MMEngine draws another sample.
    That sample has the key ``unreadable_images`` (path → reason) for :class:`UnreadableImageHook` in the main process;
    :class:`PackHandInputs` packs it. Each path is logged once per process. With ``strict=True`` or in a dataset in test
    mode, where MMEngine draws no other sample, an unreadable image is an error. An array in ``results['img']`` is used
    as it is.

    ``shards/00000.zip/000012.jpg`` is a local image in a shard. If it has alpha, ``img`` has four channels, blue,
    green, red and alpha, up to the network's preprocessor (:func:`handkp_plugins.fileio.images.read_layers`).
    ``videos/clip.mp4#000123`` is a frame of a local video (:mod:`handkp_plugins.fileio.videos`), in colour.

    Args:
        strict: Raise an error on the first unreadable image; for validation and test.
        max_failures_in_a_row: This number of unreadable images in a row is an error also in training, because then the
            folder is wrong.
        kwargs: Arguments of MMPose's ``LoadImage``, except ``ignore_empty``, which drops images in silence.
    """

    def __init__(self, strict: bool = False, max_failures_in_a_row: int = 50, **kwargs: Any) -> None:
        if 'ignore_empty' in kwargs:
            raise ValueError('ignore_empty: expected none, as strict=False skips unreadable images, got one')
        if max_failures_in_a_row < 1:
            raise ValueError(f'max_failures_in_a_row: expected an integer from 1, got {max_failures_in_a_row}')
        super().__init__(**kwargs)
        self.strict, self.max_failures_in_a_row = strict, max_failures_in_a_row
        self._unreported: dict[str, str] = {}
        self._logged: set[str] = set()
        self._failures_in_a_row = 0

    def transform(self, results: dict) -> dict | None:
        """Load ``results['img_path']`` into ``img`` (H, W, 3 or 4; BGR, alpha); return None if it is unreadable."""
        if 'img' not in results:
            path = str(results['img_path'])
            read_file = partial(fileio.get, backend_args=self.backend_args)
            try:
                results['img'] = open_image(path, self.color_type, self.imdecode_backend, read_file)
            except (OSError, ValueError) as e:
                reason = getattr(e, 'strerror', None) or ' '.join(str(e).split())
                self._record_failure(path, reason, results)
                return None
            self._failures_in_a_row = 0
            if self._unreported:
                results['unreadable_images'] = self._unreported
                self._unreported = {}
        return super().transform(results)

    def _record_failure(self, path: str, reason: str, results: dict) -> None:
        dataset = results.get('dataset')
        if self.strict or getattr(dataset, 'test_mode', False):
            raise OSError(f'{path}: unreadable image ({reason})')
        self._unreported[path] = reason
        if path not in self._logged:
            self._logged.add(path)
            print_log(f'skipped unreadable image {path} ({reason})', logger='current', level=logging.WARNING)
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self.max_failures_in_a_row:
            raise OSError(
                f'{path}: unreadable image ({reason}), as were the {self._failures_in_a_row - 1} images tried just '
                'before it; are data_root and data_prefix of the training set right?'
            )

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(strict={self.strict}, max_failures_in_a_row={self.max_failures_in_a_row})'


@TRANSFORMS.register_module()
class PackHandInputs(PackPoseInputs):
    """MMPose's ``PackPoseInputs`` that also packs the keys of this package's datasets and transforms."""

    HAND_META_KEYS = (
        'unreadable_images', 'handedness', 'gesture', 'keypoints_3d', 'keypoints_occluded', 'vertices', 'camera',
        'video_id', 'frame_id', 'frame_valid', 'action', 'object', 'view_id', 'view_rotation', 'view_translation',
    )  # fmt: skip

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.meta_keys = (*self.meta_keys, *self.HAND_META_KEYS)
