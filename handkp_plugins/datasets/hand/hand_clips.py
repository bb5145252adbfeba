"""Clips of videos with 3D hands, an action and an object."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import hand_metainfo

from ..checks.clip_files import HANDS, Video, read_clip_file


def clip_starts(
    length: int, clip_length: int, window: int, spacing: int, test: bool, first_phase_alone: bool = False
) -> list[int]:
    """Return the raw frames n of a video at which a clip starts (HTT's code; its shifting window).

    In training n mod (T·s) < t·s, so that a window can start at any frame. In test n mod (T·s) < s, so that each frame
    is in exactly one clip. The paper tests with n mod (T·s) = 0 (``first_phase_alone``).

    Args:
        length: Frames of the video.
        clip_length: T.
        window: t.
        spacing: s, raw frames from one frame of a clip to the next.
    """
    phases = window * spacing if not test else 1 if first_phase_alone else spacing
    return [n for n in range(length) if n % (clip_length * spacing) < phases]


def clip_frames(start: int, length: int, clip_length: int, spacing: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the raw frames (T,) of a clip and which are valid (T,). After the end the last valid one repeats."""
    frames = start + spacing * np.arange(clip_length)
    valid = frames < length
    return np.where(valid, frames, frames[valid][-1]), valid


@DATASETS.register_module()
class HandClipDataset(BaseDataset):
    """Clips of T frames with the joints of one or two hands, an action and an object.

    The annotation file is described at :func:`~handkp_plugins.datasets.checks.clip_files.read_clip_file`. Letters: V
    valid frames of a clip, J = 21 joints a hand. A sample holds

    - ``img_path``: V paths, and ``ori_shape`` (H, W) of the images
    - ``frame_valid`` (T,), ``frame_id`` (T,) and ``video_id``
    - ``camera``: (3, 3), the pinhole matrix of the images
    - ``keypoints``: (T, J, 3) metres in the camera's frame, x right, y down, z forward; ``keypoints_visible``: (T, J),
      0 for a hand that is absent; padded frames repeat the last valid one
    - ``keypoints_occluded``: (T, J), bool, where the file tells
    - ``action`` and ``object``: indices of ``metainfo['classes']`` and ``metainfo['objects']``

    Args:
        ann_file: The file, below ``data_root``.
        hands: Whose joints, 21 each: ('right',) or ('left', 'right').
        clip_length: T.
        window: t of block P; it decides at how many frames training clips start (:func:`clip_starts`).
        spacing: s, raw frames from one frame of a clip to the next.
        first_phase_alone: Test only on every s-th frame, as the paper does.
        kwargs: Those of ``mmengine.dataset.BaseDataset``; ``data_prefix=dict(img=…)`` is the images' folder.
    """

    METAINFO: dict = hand_metainfo('hand_clips')

    def __init__(
        self,
        ann_file: str = '',
        hands: Sequence[str] = ('right',),
        clip_length: int = 128,
        window: int = 16,
        spacing: int = 2,
        first_phase_alone: bool = False,
        data_prefix: dict | None = None,
        **kwargs: Any,
    ) -> None:
        if not hands or [h for h in HANDS if h in hands] != list(hands):
            raise ValueError(f"hands: expected 'left', 'right' or both in this order, got {tuple(hands)}")
        for name, value in dict(clip_length=clip_length, window=window, spacing=spacing).items():
            if value < 1:
                raise ValueError(f'{name}: expected an integer from 1, got {value}')
        if window > clip_length:
            raise ValueError(f'clip_length: expected {window} frames or more, the window, got {clip_length}')
        self.hands = tuple(hands)
        self.clip_length = clip_length
        self.window = window
        self.spacing = spacing
        self.first_phase_alone = first_phase_alone
        self.videos: list[Video] = []
        super().__init__(ann_file=ann_file, data_prefix=data_prefix or dict(img=''), **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the videos; return one entry with video and first frame for each clip."""
        file = read_clip_file(self.ann_file, self.hands)
        self._metainfo.update(classes=file.actions, objects=file.objects)
        self.videos = file.videos
        return [
            dict(video=i, start=start)
            for i, video in enumerate(self.videos)
            for start in clip_starts(
                len(video), self.clip_length, self.window, self.spacing, self.test_mode, self.first_phase_alone
            )
        ]

    def get_data_info(self, idx: int) -> dict:
        """Return a clip; see the class for its keys."""
        place = super().get_data_info(idx)
        video = self.videos[place['video']]
        frames, valid = clip_frames(place['start'], len(video), self.clip_length, self.spacing)
        occluded = {} if video.occluded is None else dict(keypoints_occluded=video.occluded[frames])
        return dict(
            occluded,
            img_path=[join_path(self.data_prefix['img'], video.files[i]) for i in frames[valid]],
            ori_shape=video.size[::-1],
            video_id=video.id,
            frame_id=video.first + frames,
            frame_valid=valid,
            camera=video.camera.copy(),
            keypoints=video.keypoints[frames],
            keypoints_visible=video.weights[frames],
            action=video.action,
            object=video.object,
            sample_idx=place['sample_idx'],
        )
