"""Hands in frames of videos."""

from typing import Any

from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.fileio.coco import spread_evenly
from handkp_plugins.structures.skeleton import hand_metainfo


@DATASETS.register_module()
class HandVideoDataset(BaseCocoStyleDataset):
    """Frames of videos with one hand each, as ``tools/dataset_converters/video_keypoints.py`` writes them.

    COCO keypoint JSON of 21 keypoints in OneHand10K's order. Image records and samples have

    - ``video_id``: number or name of the video
    - ``frame_id``: index of the frame in the video

    Images are files or frames of a video file, ``videos/clip.mp4#000123``; :class:`LoadHandImage` reads both.

    Args:
        spread: Use only this number of hands, evenly spread over the file; None for all.
        args, kwargs: Arguments of ``BaseCocoStyleDataset``.
    """

    METAINFO: dict = hand_metainfo('hand_video')

    def __init__(self, *args: Any, spread: int | None = None, **kwargs: Any) -> None:
        self.spread = spread
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Load one dictionary for each hand; raises ValueError if there are fewer than ``spread``."""
        hands = super().load_data_list()
        try:
            return hands if self.spread is None else spread_evenly(hands, self.spread)
        except ValueError as e:
            raise ValueError(f'{self.ann_file}: spread: {e}') from None

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Parse an annotation, and add the keys of the class."""
        data_info = super().parse_data_info(raw_data_info)
        return data_info and dict(data_info, **frame_keys(self.ann_file, raw_data_info['raw_img_info']))


def frame_keys(ann_file: str, image: dict[str, Any]) -> dict[str, Any]:
    """Return ``video_id`` and ``frame_id`` of an image record; ValueError if one is missing or of a wrong type."""
    where = f'{ann_file}: image {image["id"]}'
    if missing := [key for key in ('video_id', 'frame_id') if key not in image]:
        raise ValueError(f'{where}: expected video_id and frame_id, got none of {", ".join(missing)}')
    video, frame = image['video_id'], image['frame_id']
    if isinstance(video, bool) or not isinstance(video, (int, str)):
        raise ValueError(f'{where}: video_id: expected a whole number or text, got {video!r}')
    if isinstance(frame, bool) or not isinstance(frame, int) or frame < 0:
        raise ValueError(f'{where}: frame_id: expected a whole number from 0, got {frame!r}')
    return dict(video_id=video, frame_id=frame)
