"""Splitting of datasets and writing of COCO keypoint files."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np

from handkp_plugins.structures.skeleton import BONES, JOINT_ORDERS, KEYPOINT_NAMES, NUM_KEYPOINTS

from .atomic import atomic_write

SPLITS = ('train', 'val', 'test')
T = TypeVar('T')
Record = tuple[dict[str, Any], dict[str, Any]]
"""An image and the annotation of the one hand in it, both without ids."""


def split_8_1_1(items: Iterable[T], seed: int | Sequence[int] = 0) -> dict[str, list[T]]:
    """Split three items or more into :data:`SPLITS` 8:1:1 at random. The order of the items does not matter."""
    ordered = sorted(items)
    if len(ordered) < 3:
        raise ValueError(f'a split into train, val and test: expected 3 or more images, got {len(ordered)}')
    shuffled = [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]
    n = max(1, round(len(ordered) / 10))
    return dict(train=sorted(shuffled[2 * n :]), val=sorted(shuffled[:n]), test=sorted(shuffled[n : 2 * n]))


def spread_evenly(items: Sequence[T], num: int) -> list[T]:
    """Choose ``num`` items at even distances, from the first to the last; raises ValueError if there are fewer."""
    if not 1 <= num <= len(items):
        raise ValueError(f'expected an integer from 1 to {len(items)}, got {num}')
    return [items[i] for i in np.linspace(0, len(items) - 1, num).round().astype(int)]


@contextmanager
def coco_file(
    path: Path, info: Mapping[str, Any], sections: Mapping[str, Any] | None = None, order: str = 'onehand10k'
) -> Iterator[Callable[[dict[str, Any], Iterable[dict[str, Any]]], None]]:
    """Write a COCO keypoint file image by image, so that memory does not grow with their number.

    Yields a function that adds an image's record and those of its annotations. The file appears whole at the end of the
    block: COCO wants all images before all annotations, so these wait in a temporary file.

    Args:
        info, sections: COCO's ``info``, and further sections of the file.
        order: The keypoints' order, a key of :data:`~handkp_plugins.structures.skeleton.JOINT_ORDERS`.
    """
    place = JOINT_ORDERS[order]
    category = dict(
        id=1,
        name='hand',
        supercategory='hand',
        keypoints=[KEYPOINT_NAMES[place.index(i)] for i in range(NUM_KEYPOINTS)],
        skeleton=[[place[a] + 1, place[b] + 1] for a, b in BONES],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_write(path) as temporary,
        open(temporary, 'w', encoding='utf-8') as file,
        tempfile.TemporaryFile('w+', encoding='utf-8', dir=path.parent) as waiting,
    ):
        head = {'info': info, 'licenses': [], 'categories': [category], **(sections or {})}
        file.write(f'{json.dumps(head)[:-1]}, "images": [')
        separators = {file: '', waiting: ''}

        def append(to: TextIO, record: dict[str, Any]) -> None:
            to.write(separators[to] + json.dumps(record))
            separators[to] = ', '

        def add(image: dict[str, Any], annotations: Iterable[dict[str, Any]]) -> None:
            append(file, image)
            for annotation in annotations:
                append(waiting, annotation)

        yield add
        file.write('], "annotations": [')
        waiting.seek(0)
        shutil.copyfileobj(waiting, file)
        file.write(']}')


def write_coco(path: Path, records: Sequence[Record], description: str, order: str = 'onehand10k') -> None:
    """Write records with ids from 0 on, see :func:`coco_file`; raises ValueError, and writes no file, without any."""
    if not records:
        raise ValueError(f'{path}: expected one or more hands, but none could be converted')
    with coco_file(path, dict(description=description), order=order) as add:
        for i, (image, annotation) in enumerate(records):
            add(dict(image, id=i), [dict(annotation, id=i, image_id=i)])
