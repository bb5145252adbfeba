"""What the converters of HanCo and FreiHAND share: records of views, and the reading of their files."""

from pathlib import Path
from typing import Any

import numpy as np
from conversion import Account

from handkp_plugins.fileio.coco import coco_file
from handkp_plugins.fileio.coco_file import as_array
from handkp_plugins.fileio.json import read_json

SIZE, BOX = 224, 130  # pixels of the images and of the crop in a test, both squares with the same middle
Records = tuple[dict[str, Any], dict[str, Any]]


def read_numbers(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """Read a JSON file of numbers of a shape, where None is any length."""
    values = as_array(read_json(path, 'numbers'))
    got = None if values is None else values.shape
    if got is None or len(got) != len(shape) or any(n not in (None, m) for n, m in zip(shape, got, strict=True)):
        raise ValueError(f'{path}: expected numbers of shape {shape}, got {got or "something else"}')
    return values


def view_record(
    file_name: str,
    frame_id: int,
    view_id: int,
    camera: dict[str, np.ndarray],
    labels: np.ndarray,
    points: np.ndarray | None = None,
) -> Records:
    """Return the records of an image and its hand, without ids.

    Args:
        file_name: Relative to the root.
        frame_id, view_id: Moment and camera.
        camera: ``K``, and where it is known ``R`` and ``t``.
        labels: (21, 3) x, y in pixels and confidence.
        points: (21, 3) metres in the camera's frame.
    """
    corner = (SIZE - BOX) / 2
    image = dict(file_name=file_name, width=SIZE, height=SIZE, frame_id=frame_id, view_id=view_id)
    image['camera'] = {name: np.round(value, 6).tolist() for name, value in camera.items()}
    annotation = dict(
        category_id=1,
        iscrowd=0,
        bbox=[corner, corner, BOX, BOX],
        area=BOX * BOX,
        handedness='right',
        pseudo_keypoints=np.round(labels, 4).tolist(),
    )
    if points is not None:
        annotation['keypoints_3d'] = np.round(points, 6).tolist()
    return image, annotation


def write_views(account: Account, split: str, records: list[Records], description: str) -> None:
    """Write ``annotations/SPLIT.json``, and tell so."""
    path = account.root / 'annotations' / f'{split}.json'
    if not records:
        raise ValueError(f'{path}: expected one or more views, but none could be converted')
    with coco_file(path, dict(description=description)) as add:
        for i, (image, annotation) in enumerate(records):
            add(dict(image, id=i), [dict(annotation, id=i, image_id=i)])
    frames = len({image['frame_id'] for image, _ in records})
    account.tell(f'{path}: {len(records)} views of {frames} frames')
