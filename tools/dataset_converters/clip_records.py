"""What the converters of videos with 3D hands share: the records of a video, the file, and the account at the end."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.datasets.hand.hand_clips import clip_starts
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import read_image

Records = tuple[dict, list[dict], list[dict]]  # a video, its images, its annotations


class ClipRecorder:
    """Makes the records of videos and accounts for what is skipped.

    Args:
        root: The folder that image names are relative to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.converted = 0
        self.absent = 0
        self.skipped: dict[str, list[str]] = defaultdict(list)

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
        """The records of a video without ids, or None (counted, with its reason) for one to skip.

        Args:
            name: Of the video, for the account.
            files: Its L images, relative to the root.
            first: ``frame_id`` of the first one.
            hands: Of each frame by handedness the joints (21, 3) in metres, None for an absent hand.
            camera: (3, 3) pinhole matrix of images of ``size``, [W, H]; it is scaled to the images that are there.
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

    def skip(self, name: str, reason: str) -> None:
        """Count a video as skipped."""
        self.skipped[reason].append(name)

    def report(self) -> str:
        """How many videos were found, converted and skipped, and for each reason the first that were."""
        skipped = sum(map(len, self.skipped.values()))
        lines = [f'found {self.converted + skipped}, converted {self.converted}, skipped {skipped} videos']
        for reason, names in self.skipped.items():
            lines.append(f'  {len(names)} skipped, {reason}: {", ".join(names[:5])}' + (', …' * (len(names) > 5)))
        if self.absent:
            lines.append(f'{self.absent} hands flagged absent: no annotation, no weight')
        return '\n'.join(lines)


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
