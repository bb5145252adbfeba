"""Names, splits and COCO files of a generated set."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.fileio.atomic import replaced_whole
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_NAMES

SPLITS = {'train': 0.8, 'val': 0.1, 'test': 0.1}


def image_name(index: int) -> str:
    """File name of an image, relative to the set's folder."""
    return f'images/{index:06d}.jpg'


def frame_name(clip: int, frame: int) -> str:
    """File name of a frame of a clip, relative to the set's folder."""
    return f'clips/{clip:05d}/{frame:06d}.jpg'


def shard_name(number: int) -> str:
    """File name of a shard, relative to the set's folder."""
    return f'shards/{number:05d}.zip'


def member_name(index: int, suffix: str) -> str:
    """Name of a picture within its shard."""
    return f'{index:06d}{suffix}'


def split_of(num: int, seed: int) -> dict[str, list[int]]:
    """Indices of each split, sorted; drawn by the seed."""
    order = np.random.default_rng([seed, num]).permutation(num).tolist()
    val, test = (max(1, round(num * SPLITS[name])) for name in ('val', 'test'))
    parts = {'train': order[val + test :], 'val': order[:val], 'test': order[val : val + test]}
    return {name: sorted(ids) for name, ids in parts.items()}


@contextmanager
def coco_file(
    path: Path, size: int, info: dict[str, Any], height: int | None = None, more: Mapping[str, Any] | None = None
) -> Iterator[Callable[[dict[str, Any], str], None]]:
    """Write a COCO keypoint file record by record, so that memory does not grow with their number.

    Yields a function that adds one record (of index, camera and annotation, or annotations with ids, and 'image' for
    further or other keys of the image, if there are any) and its image's file name. COCO wants all
    images before all annotations: the latter wait in a temporary file. ``path`` exists, whole, after the block.

    Args:
        size: width of each picture.
        info: COCO's ``info``.
        height: theirs; None for square ones.
        more: further sections of the file.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replaced_whole(path) as temporary,
        open(temporary, 'w', encoding='utf-8') as file,
        tempfile.TemporaryFile('w+', encoding='utf-8', dir=path.parent) as annotations,
    ):
        category = {
            'id': 1,
            'name': 'hand',
            'supercategory': 'hand',
            'keypoints': KEYPOINT_NAMES,
            'skeleton': [[a + 1, b + 1] for a, b in BONES],
        }
        head = {'info': info, 'licenses': [], 'categories': [category], **(more or {})}
        file.write(f'{json.dumps(head)[:-1]}, "images": [')
        between = between_annotations = ''

        def add(record: dict[str, Any], file_name: str) -> None:
            nonlocal between, between_annotations
            index = record['index']
            image = {'id': index, 'file_name': file_name, 'width': size, 'height': height or size}
            file.write(between + json.dumps(image | {'camera': record['camera']} | record.get('image', {})))
            between = ', '
            for annotation in record['annotations'] if 'annotations' in record else [record['annotation']]:
                annotations.write(between_annotations + json.dumps({'id': index, 'image_id': index, **annotation}))
                between_annotations = ', '

        yield add
        file.write('], "annotations": [')
        annotations.seek(0)
        shutil.copyfileobj(annotations, file)
        file.write(']}')
