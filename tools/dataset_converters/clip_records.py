"""What the converters of videos with 3D hands share: the records of a video and the file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from conversion import Account

from handkp_plugins.datasets.hand.hand_clips import clip_starts
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import read_image

Records = tuple[dict, list[dict], list[dict]]  # a video, its images, its annotations


class ClipConversion(Account):
    """Makes the records of videos.

    Args:
        root: The dataset's folder; image names are relative to it.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, 'videos')
        self.absent = 0

    def record(
        self,
        name: str,
        files: Sequence[str],
        first: int,
        hands: Sequence[Mapping[str, np.ndarray | None]],
        camera: np.ndarray,
        size: tuple[int, int],
        **labels: Any,
    ) -> Records | None:
        """Return the records of a video without ids, or None for a video that is skipped and counted.

        Args:
            name: The video's name, for the account.
            files: The L images, relative to the root.
            first: ``frame_id`` of the first image.
            hands: For each frame, the joints (21, 3) in metres by handedness, None for an absent hand.
            camera: (3, 3) camera matrix of images of ``size``; it is scaled to the size of the files.
            size: [W, H] of the images for which the matrix holds.
            labels: Further keys of the video: action and object.
        """
        missing = [file for file in files if not (self.root / file).is_file()]
        if missing or not files:
            return self.skip(f'{name} ({missing[0]})', 'no such image') if missing else self.skip(name, 'no frames')
        try:
            height, width = read_image(self.root / files[0]).shape[:2]
        except ValueError as e:
            return self.skip(f'{name} ({e})', 'unreadable image')
        matrix = np.asarray(camera) * [[width / size[0]], [height / size[1]], [1]]
        images, annotations = [], []
        for i, (file, frame) in enumerate(zip(files, hands, strict=True)):
            images.append(
                dict(file_name=file, width=width, height=height, frame_id=first + i, camera=dict(K=matrix.tolist()))
            )
            for handedness, points in frame.items():
                self.absent += points is None
                if points is not None:
                    joints = np.round(np.asarray(points, float), 6).tolist()
                    annotations.append(dict(image_id=i, category_id=1, handedness=handedness, keypoints_3d=joints))
        self.converted += 1
        return dict(name=name, **labels), images, annotations

    def report(self) -> None:
        """Print how many videos were found, converted and skipped, and how many hands are absent."""
        super().report()
        if self.absent:
            self.tell(f'{self.absent} hands flagged absent: no annotation, no weight')


def write_clips(
    path: Path, records: Sequence[Records], actions: Sequence[str], objects: Sequence[str], description: str
) -> str:
    """Write videos with ids from 0 on, whole or not at all; returns a line that counts videos, frames and clips.

    Raises:
        ValueError: There are no videos; no file is written.
    """
    if not records:
        raise ValueError(f'{path}: videos: expected one or more, got none that could be converted')
    videos: list[dict] = []
    images: list[dict] = []
    annotations: list[dict] = []
    for video, own_images, own_annotations in records:
        start = len(images)
        annotations += [
            dict(a, id=len(annotations) + i, image_id=start + a['image_id']) for i, a in enumerate(own_annotations)
        ]
        images += [dict(image, id=start + i, video_id=len(videos)) for i, image in enumerate(own_images)]
        videos.append(dict(video, id=len(videos)))
    content = dict(
        info=dict(description=description),
        categories=[dict(id=1, name='hand', supercategory='hand')],
        actions=list(actions),
        objects=list(objects),
        videos=videos,
        images=images,
        annotations=annotations,
    )
    write_text(path, json.dumps(content))
    lengths = [len(own) for _, own, _ in records]
    train, test = (sum(len(clip_starts(n, 128, 16, 2, test)) for n in lengths) for test in (False, True))
    return f'{path}: {len(videos)} videos, {sum(lengths)} frames; clips of T = 128: {train} to train, {test} to test'
