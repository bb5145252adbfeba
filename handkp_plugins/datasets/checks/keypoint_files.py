"""Check a COCO keypoint file before a data set is built from it, so that an error names the file and the record."""

import json
import logging
from collections.abc import Iterable
from typing import Any, NoReturn

import mmengine.fileio as fileio
import numpy as np
from mmengine.logging import print_log

_IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
_ANNOTATION_KEYS = ('id', 'image_id', 'category_id', 'bbox', 'keypoints')


def check_annotation_file(path: str, num_keypoints: int = 21) -> int:
    """Check the images and annotations of a COCO keypoint file in the form that MMPose's top-down data sets read.

    Each annotation needs a bounding box with an area and ``num_keypoints`` × (x, y, visibility), flat or nested, all
    finite, visibility not negative, and at least one keypoint labelled (visibility above 0). Exempt from the box and
    from labels are those that COCO's own convention marks as none to learn from: ``iscrowd`` 1 or ``num_keypoints`` 0.
    MMPose leaves these out, and those whose box lies outside their image; their number is logged.

    Returns:
        The number of annotations that MMPose will use.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file or one of its records is not of that form; the message names the first one.
    """
    data = read_json(path)
    images = records_of(path, data, 'images', 'image', _IMAGE_KEYS)
    annotations = records_of(path, data, 'annotations', 'annotation', _ANNOTATION_KEYS)
    sizes = image_sizes(path, images)
    for annotation in annotations:
        if annotation['image_id'] not in sizes:
            fail(path, annotation, 'image_id: expected the id of an entry in images', annotation['image_id'])

    keypoints = numbers_of(path, annotations, 'keypoints', 3 * num_keypoints, 'x, y, visibility of each keypoint')
    keypoints = keypoints.reshape(-1, num_keypoints, 3)
    boxes = numbers_of(path, annotations, 'bbox', 4, 'x, y, width, height')
    marked = np.array([bool(a.get('iscrowd')) or a.get('num_keypoints', 1) == 0 for a in annotations])

    visibility = keypoints[..., 2]
    for i in _where((visibility < 0).any(1)):
        fail(path, annotations[i], 'keypoints: expected a visibility from 0 on', float(visibility[i].min()))
    for i in _where((boxes[:, 2:] <= 0).any(1) & ~marked):
        fail(path, annotations[i], 'bbox: expected a width and height above 0', boxes[i].tolist())
    for i in _where((visibility == 0).all(1) & ~marked):
        fail(
            path,
            annotations[i],
            'keypoints: expected at least one labelled (visibility above 0), or num_keypoints: 0 to leave it out',
            'none labelled',
        )
    return _count_used(path, annotations, marked | _outside(boxes, annotations, sizes))


def read_json(path: str, kind: str = 'a COCO keypoint file') -> Any:
    """What an annotation file holds; FileNotFoundError or ValueError, with its name, where it is no JSON.

    Args:
        kind: what the file should be, for the messages.
    """
    if not fileio.exists(path):
        raise FileNotFoundError(f'{path}: no such annotation file')
    text = fileio.get(path)
    if not text.strip():
        raise ValueError(f'{path}: expected {kind} in JSON, got an empty file')
    try:
        return json.loads(text)
    except ValueError as e:  # bytes that are no text, too
        raise ValueError(f'{path}: expected {kind} in JSON, which does not parse: {e}') from None


def records_of(path: str, data: Any, section: str, kind: str, keys: tuple[str, ...]) -> list[dict]:
    """A section of the file: a list of objects that hold all keys and differ in their ids."""
    records = data.get(section) if isinstance(data, dict) else None
    if not isinstance(records, list):
        raise ValueError(
            f"{path}: expected a JSON object with the lists 'images' and 'annotations', got "
            + (f'one without the list {section!r}' if isinstance(data, dict) else f'a {type(data).__name__}')
        )
    if not records:
        raise ValueError(f'{path}: expected one or more entries in {section!r}, got none')
    seen = set()
    for index, record in enumerate(records):
        where = f'{path}: {kind} at index {index}'
        if not isinstance(record, dict):
            raise ValueError(f'{where}: expected a JSON object, got {_short(record)}')
        missing = [key for key in keys if key not in record]
        if missing:
            raise ValueError(f'{where}, id {record.get("id")}: needs {", ".join(keys)}; missing: {", ".join(missing)}')
        if not isinstance(record['id'], (int, float, str)):
            raise ValueError(f'{where}: expected a number as id, got {_short(record["id"])}')
        if record['id'] in seen:
            raise ValueError(f'{where}: expected ids that differ, got id {record["id"]} for the second time')
        seen.add(record['id'])
    return records


def image_sizes(path: str, images: list[dict]) -> dict[Any, tuple[float, float]]:
    """Width and height of each image by its id; raises ValueError where one has none."""
    for image in images:
        for side in ('width', 'height'):
            if not isinstance(image[side], (int, float)) or not image[side] > 0:
                raise ValueError(f'{path}: image {image["id"]}: expected a positive {side}, got {_short(image[side])}')
    return {image['id']: (image['width'], image['height']) for image in images}


def numbers_of(path: str, annotations: list[dict], key: str, count: int, meaning: str) -> np.ndarray:
    """The finite numbers (N, count) that the annotations hold under the key."""
    shapes = ((count,), (count // 3, 3)) if key == 'keypoints' else ((count,),)
    allowed = f'{key}: expected {count} numbers ({meaning})'
    try:
        values = np.array([a[key] for a in annotations], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.empty(0)
    if values.shape[1:] not in shapes:  # find the culprit, or take a mixture of flat and nested lists
        rows = []
        for annotation in annotations:
            try:
                row = np.array(annotation[key], dtype=np.float64)
            except (TypeError, ValueError, OverflowError):
                fail(path, annotation, allowed, annotation[key])
            if row.shape not in shapes:
                fail(path, annotation, allowed, f'{row.size}: {_short(annotation[key])}')
            rows.append(row.ravel())
        values = np.array(rows)
    values = values.reshape(len(annotations), count)
    for i in _where(~np.isfinite(values).all(1)):
        bad = int(np.flatnonzero(~np.isfinite(values[i]))[0])
        position = f'keypoint {bad // 3}, {"xyv"[bad % 3]}' if key == 'keypoints' else f'number {bad}'
        fail(path, annotations[i], f'{key}: expected finite numbers', f'{values[i, bad]} ({position})')
    return values


def _outside(boxes: np.ndarray, annotations: list[dict], sizes: dict[Any, tuple[float, float]]) -> np.ndarray:
    """Whether MMPose's clipping to the image leaves nothing of a box, (N,)."""
    limits = np.array([sizes[a['image_id']] for a in annotations], dtype=np.float64) - 1
    first, last = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    return (np.clip(last, 0, limits) <= np.clip(first, 0, limits)).any(1)


def _count_used(path: str, annotations: list[dict], left_out: np.ndarray) -> int:
    ids = [annotations[i]['id'] for i in np.flatnonzero(left_out)]
    return tell_left_out(
        path, ids, len(annotations), 'crowds, marked as without keypoints, or with a box outside their image'
    )


def tell_left_out(path: str, ids: list[Any], total: int, being: str) -> int:
    """Log which of a file's annotations are not used, and why; returns how many remain.

    Raises:
        ValueError: none does.
    """
    if ids:
        text = (
            f'{path}: {len(ids)} of {total} annotations are left out, being {being}: '
            f'ids {", ".join(map(str, ids[:10]))}' + (', …' if len(ids) > 10 else '')
        )
        if len(ids) == total:
            raise ValueError(f'{text}; nothing remains')
        print_log(text, logger='current', level=logging.WARNING)
    return total - len(ids)


def _where(bad: np.ndarray) -> Iterable[int]:
    return np.flatnonzero(bad)[:1].tolist()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'


def fail(path: str, annotation: dict, allowed: str, received: Any) -> NoReturn:
    """Raise ValueError that names an annotation."""
    received = received if isinstance(received, str) else _short(received)
    raise ValueError(f'{path}: annotation {annotation["id"]}: {allowed}, got {received}')
