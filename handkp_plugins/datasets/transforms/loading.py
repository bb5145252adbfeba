"""Reading images in a way that survives a few broken files, and packing what our transforms add."""

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
    """MMPose's ``LoadImage`` that passes over unreadable training images and remembers them.

    Unreadable is a file that is missing, cannot be opened, is a truncated JPEG, or that the decoder refuses; so is a
    picture of a shard that is missing or damaged. In training the transform then returns ``None``, upon which MMEngine
    draws another sample; that sample carries the key ``unreadable_images``, a dictionary of path → reason, to
    :class:`UnreadableImageHook` in the main process (:class:`PackHandInputs` packs the key). Each path is logged once
    per process, too. Where nobody draws another sample (``strict=True``, or a data set in test mode), an unreadable
    image is an error. An array already in ``results['img']`` is taken as it is.

    A path such as ``shards/00000.zip/000012.jpg`` names a picture in a shard on this machine's disk; where that has
    alpha, ``img`` has four channels, blue, green, red and alpha, which flips, warps and packing carry through to the
    network's preprocessor (:func:`handkp_plugins.fileio.images.read_layers`). ``videos/clip.mp4#000123`` names a
    frame of a video on this machine's disk (:mod:`handkp_plugins.fileio.videos`), which is read in colour.

    Args:
        strict: raise on the first unreadable image; for validation and test.
        max_failures_in_a_row: so many unreadable images with no readable one between them are an error even in
            training: then it is the folder that is wrong, and not a file.
        kwargs: those of MMPose's ``LoadImage``. ``ignore_empty`` is not among them: it drops images in silence.

    Raises:
        OSError: an image is unreadable and may not be passed over.
    """

    def __init__(self, strict: bool = False, max_failures_in_a_row: int = 50, **kwargs: Any) -> None:
        if 'ignore_empty' in kwargs:
            raise ValueError('LoadHandImage: ignore_empty is not allowed; strict=False passes over unreadable images')
        if max_failures_in_a_row < 1:
            raise ValueError(f'max_failures_in_a_row: expected an integer from 1, got {max_failures_in_a_row}')
        super().__init__(**kwargs)
        self.strict = strict
        self.max_failures_in_a_row = max_failures_in_a_row
        self._unreported: dict[str, str] = {}
        self._logged: set[str] = set()
        self._failures_in_a_row = 0

    def transform(self, results: dict) -> dict | None:
        """Load ``results['img_path']`` into ``img`` (H, W, 3 or 4; BGR, alpha), or return ``None`` if unreadable."""
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
            print_log(f'passed over unreadable image {path} ({reason})', logger='current', level=logging.WARNING)
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
    """MMPose's ``PackPoseInputs`` that also packs what this package's data sets and transforms add.

    Args:
        kwargs: those of MMPose's ``PackPoseInputs``.
    """

    HAND_META_KEYS = (
        'unreadable_images',
        'handedness',
        'gesture',
        'keypoints_3d',
        'camera',
        'video_id',
        'frame_id',
        'frame_valid',
        'action',
        'object',
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.meta_keys = (*self.meta_keys, *self.HAND_META_KEYS)
