"""Miniature videos with 3D hands, an action and an object."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = (48, 27)
CAMERA = [[35.0, 0, 24.0], [0, 35.0, 13.5], [0, 0, 1]]
LIST_NAMES = dict(actions=['lift', 'lower', 'turn'], objects=['cup', 'pen'])


def clip_records(lengths: Sequence[int] = (5, 3), hands: Sequence[str] = ('right',), first: int = 0) -> dict:
    """Contents of a file; joint k of frame i of video v lies at (k, v, 400 + i) mm, the left hand 30 mm
    beside. Joints 0, 2 … are occluded."""
    videos = [dict(id=v, action=v % 3, object=v % 2) for v in range(len(lengths))]
    images, annotations = [], []
    for v, length in enumerate(lengths):
        for i in range(length):
            images.append(
                dict(
                    id=len(images), file_name=f'{v}/{i}.png', width=SIZE[0], height=SIZE[1], video_id=v,
                    frame_id=first + i, camera=dict(K=CAMERA)))  # fmt: skip
            for hand in hands:
                k = np.arange(21.0)
                points = np.stack([k + 30 * (hand == 'left'), v + 0 * k, 400 + i + 0 * k], 1) / 1000
                where = dict(id=len(annotations), image_id=images[-1]['id'])
                flags = np.stack([0 * k, 0 * k, 1 + k % 2], 1).astype(int).ravel().tolist()
                labels = dict(keypoints_3d=points.tolist(), keypoints=flags)
                annotations.append(dict(where, handedness=hand, **labels))
    return dict(LIST_NAMES, videos=videos, images=images, annotations=annotations)


def write_clips(folder: Path, records: dict, pictures: bool = False) -> Path:
    """Write ``ann.json``, and pictures whose level is 10 · frame where they are asked for; returns the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'ann.json'
    path.write_text(json.dumps(records))
    for image in records['images'] if pictures else ():
        file = folder / image['file_name']
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), np.full((*SIZE[::-1], 3), 10 * (image['frame_id'] % 25 + 1), np.uint8))
    return path
