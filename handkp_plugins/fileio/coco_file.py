"""Reading of COCO files, with errors that name the file and the record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from .json import read_json

_SINGULAR = {'images': 'image', 'annotations': 'annotation', 'categories': 'category', 'videos': 'video'}


class CocoFile:
    """The ``images`` and ``annotations`` of a COCO file, checked: each ``image_id`` is the id of an image.

    Args:
        image_keys, annotation_keys: Keys that every image and every annotation must have.
        data: The content, if it is read already.
        allow_empty: Whether there may be no annotations.

    Raises FileNotFoundError, or ValueError that names the first malformed record.
    """

    def __init__(
        self,
        path: str | Path,
        image_keys: Sequence[str],
        annotation_keys: Sequence[str],
        data: Any = None,
        allow_empty: bool = False,
    ) -> None:
        self.path = str(path)
        self.data = read_json(path) if data is None else data
        self.images = self.records('images', image_keys)
        self.annotations = self.records('annotations', annotation_keys, allow_empty)
        ids = {image['id'] for image in self.images}
        for annotation in self.annotations:
            if annotation['image_id'] not in ids:
                raise self.error(annotation, 'image_id: expected the id of an entry in images', annotation['image_id'])

    def records(self, section: str, keys: Sequence[str], allow_empty: bool = False) -> list[dict]:
        """Return a section of the file: objects that have all keys, and different ids."""
        records = self.data.get(section) if isinstance(self.data, dict) else None
        if not isinstance(records, list):
            got = f'one without the list {section!r}' if isinstance(self.data, dict) else type(self.data).__name__
            raise ValueError(
                f"{self.path}: expected a JSON object with the lists 'images' and 'annotations', got {got}"
            )
        if not records and not allow_empty:
            raise ValueError(f'{self.path}: expected one or more entries in {section!r}, got none')
        seen = set()
        for index, record in enumerate(records):
            where = f'{self.path}: {_SINGULAR[section]} at index {index}'
            if not isinstance(record, dict):
                raise ValueError(f'{where}: expected a JSON object, got {_short(record)}')
            if missing := [key for key in keys if key not in record]:
                where = f'{where}, id {record.get("id")}'
                raise ValueError(f'{where}: expected {", ".join(keys)}, got none of {", ".join(missing)}')
            if not isinstance(record['id'], (int, float, str)):
                raise ValueError(f'{where}: id: expected a number, got {_short(record["id"])}')
            if record['id'] in seen:
                raise ValueError(f'{where}: expected ids that differ, got id {record["id"]} for the second time')
            seen.add(record['id'])
        return records

    def image_sizes(self) -> np.ndarray:
        """Return the size [W, H] of each annotation's image, (N, 2)."""
        for image in self.images:
            for side in ('width', 'height'):
                if not isinstance(image[side], (int, float)) or not image[side] > 0:
                    where = f'{self.path}: image {image["id"]}'
                    raise ValueError(f'{where}: {side}: expected a positive number, got {_short(image[side])}')
        sizes = {image['id']: (image['width'], image['height']) for image in self.images}
        return np.array([sizes[a['image_id']] for a in self.annotations], dtype=np.float64).reshape(-1, 2)

    def boxes(self) -> np.ndarray:
        """Return the finite numbers x, y, width and height of each annotation's ``bbox``, (N, 4)."""
        values = self._numbers(self.annotations, 'bbox', '4 numbers (x, y, width, height)', [(4,)])
        for i in first_true(~np.isfinite(values).all(1)):
            bad = int(np.flatnonzero(~np.isfinite(values[i]))[0])
            raise self.error(self.annotations[i], 'bbox: expected finite numbers', f'{values[i, bad]} (number {bad})')
        return values

    def keypoints(
        self, num: int = NUM_KEYPOINTS, key: str = 'keypoints', annotations: list[dict] | None = None
    ) -> np.ndarray:
        """Return the finite x, y and visibility of keypoints, flat or nested in the file; (N, num, 3)."""
        annotations = self.annotations if annotations is None else annotations
        expected = f'{3 * num} numbers (x, y, visibility of each keypoint)'
        values = self._numbers(annotations, key, expected, [(3 * num,), (num, 3)]).reshape(-1, num, 3)
        for i in first_true(~np.isfinite(values).all((1, 2))):
            k, axis = np.argwhere(~np.isfinite(values[i]))[0]
            got = f'{values[i, k, axis]} (keypoint {k}, {"xyv"[axis]})'
            raise self.error(annotations[i], f'{key}: expected finite numbers', got)
        return values

    def _numbers(self, annotations: list[dict], key: str, expected: str, shapes: list[tuple[int, ...]]) -> np.ndarray:
        """Return the numbers (N, shapes[0]) that the annotations have under the key, in one of the shapes."""
        values, rows = as_array([annotation[key] for annotation in annotations]), []
        if values is not None and values.shape[1:] in shapes:
            return values.reshape(-1, *shapes[0])
        for annotation in annotations:  # find the bad one, or accept a mixture of flat and nested lists
            row = as_array(annotation[key])
            if row is None or row.shape not in shapes:
                got = _short(annotation[key]) if row is None else f'{row.size}: {_short(annotation[key])}'
                raise self.error(annotation, f'{key}: expected {expected}', got)
            rows.append(row.ravel())
        return np.array(rows).reshape(-1, *shapes[0])

    def error(self, annotation: dict, expected: str, got: Any) -> ValueError:
        """Return an error about an annotation."""
        got = got if isinstance(got, str) else _short(got)
        return ValueError(f'{self.path}: annotation {annotation["id"]}: {expected}, got {got}')


def first_true(flags: np.ndarray) -> list[int]:
    """Return the index of the first true flag, in a list; an empty list if none is true."""
    return np.flatnonzero(flags)[:1].tolist()


def as_array(value: Any) -> np.ndarray | None:
    """Return numbers of a JSON file as an array, or None if they are something else."""
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'
