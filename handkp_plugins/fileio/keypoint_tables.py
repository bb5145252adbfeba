"""Readers of recorded keypoints of one hand a row: NumPy arrays, JSON lists and tables of gestures."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

LABEL_KEYS = ('label', 'labels', 'gesture', 'name', 'names', 'y')
_LABEL_FILE = 'keypoint_classifier_label.csv'
_WIDTHS = (2 * NUM_KEYPOINTS, 3 * NUM_KEYPOINTS)
_ALLOWED = f'rows of {NUM_KEYPOINTS} × 2 or {NUM_KEYPOINTS} × 3 numbers'


@dataclass(frozen=True)
class RecordedHands:
    """Keypoints of a file.

    Args:
        path: the file.
        keypoints: (N, 21, 2 or 3) as recorded; rows without a hand are not finite.
        names: (N,) what each row shows.
        rows: (N,) where each was read: the line of a table, else the index of the record.
        malformed: what is wrong with each row of a table that was left out.
    """

    path: Path
    keypoints: np.ndarray
    names: np.ndarray
    rows: np.ndarray
    malformed: tuple[str, ...] = ()

    def every(self, step: int) -> 'RecordedHands':
        """Each ``step``-th row."""
        return self._of(slice(None, None, step))

    def usable(self) -> tuple['RecordedHands', list[int]]:
        """The rows that show a hand, and where the others were read: those not finite, or with all in one place."""
        apart = np.ptp(self.keypoints, axis=1).max(1)
        fine = np.isfinite(apart) & (apart > 1e-9 * (1 + np.abs(self.keypoints).max((1, 2))))
        return self._of(fine), self.rows[~fine].tolist()

    def _of(self, rows: slice | np.ndarray) -> 'RecordedHands':
        return replace(self, keypoints=self.keypoints[rows], names=self.names[rows], rows=self.rows[rows])


def read_recorded(path: Path, skip_malformed: bool = False) -> RecordedHands:
    """Read keypoints in this package's order (which is MediaPipe's); the names are the file's where it has no labels.

    - ``.npy``, ``.npz``: an array of :data:`_ALLOWED`, flat or not. An ``.npz`` may hold an array of as many strings,
      called as one of :data:`LABEL_KEYS`, as labels.
    - ``.json``: a list with such a record a frame, null where there is no hand.
    - ``.csv``: a row a hand: 42 or 63 numbers, a label before or after them, with or without a line of headings. Labels
      that are numbers are looked up in ``keypoint_classifier_label.csv`` beside it, if there is one.

    Args:
        skip_malformed: leave out a table's malformed rows, and say which, where they would be errors.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the format is unknown, or a record is malformed; the message names file and row.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'keypoints: expected an existing file, got {path}')
    readers = {'.npy': _read_arrays, '.npz': _read_arrays, '.json': _read_json}
    malformed: list[str] = []
    if path.suffix.lower() == '.csv':
        keypoints, names, rows, malformed = _read_table(path)
        if malformed and not skip_malformed:
            raise ValueError(f'{path}: {malformed[0]}')
    elif path.suffix.lower() in readers:
        keypoints, names, rows = readers[path.suffix.lower()](path)
    else:
        raise ValueError(f'keypoints: expected a file .csv, {", ".join(sorted(readers))}, got {path}')
    if not len(keypoints):
        raise ValueError(f'{path}: expected one record or more, got none')
    return RecordedHands(path, keypoints, np.array(names, dtype=str), np.array(rows), tuple(malformed))


def _shaped(array: np.ndarray) -> np.ndarray | None:
    """(N, 21, 2 or 3) of an array that holds keypoints; None of any other."""
    if array.dtype.kind not in 'fiu':
        return None
    if array.ndim == 2 and array.shape[1] in _WIDTHS:
        return array.reshape(len(array), NUM_KEYPOINTS, -1).astype(float)
    if array.ndim == 3 and array.shape[1] == NUM_KEYPOINTS and array.shape[2] in (2, 3):
        return array.astype(float)
    return None


def _read_arrays(path: Path) -> tuple[np.ndarray, list[str], range]:
    try:
        loaded = np.load(path)
        if isinstance(loaded, np.ndarray):
            arrays = {'': loaded}
        else:
            with loaded:
                arrays = {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f'{path}: expected arrays of numbers and strings ({error})') from error
    found = {name: shaped for name, array in arrays.items() if (shaped := _shaped(array)) is not None}
    if len(found) != 1:
        held = {name: f'{array.dtype} {array.shape}' for name, array in arrays.items()}
        raise ValueError(f'{path}: expected one array with {_ALLOWED}, got {held}')
    (keypoints,) = found.values()
    labels = [
        arrays[key]
        for key in sorted(arrays, key=lambda key: key != 'y')
        if key.lower() in LABEL_KEYS and arrays[key].shape == (len(keypoints),) and arrays[key].dtype.kind == 'U'
    ]
    return keypoints, labels[0].tolist() if labels else [path.stem] * len(keypoints), range(len(keypoints))


def _read_json(path: Path) -> tuple[np.ndarray, list[str], range]:
    try:
        records = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path}: expected JSON ({error})') from error
    if not isinstance(records, list):
        raise ValueError(f'{path}: expected a list of records, got {type(records).__name__}')
    dims, points = None, []
    for row, record in enumerate(records):
        if not record:
            points.append(None)
            continue
        try:
            array = np.array(record, dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path}: row {row}: expected {NUM_KEYPOINTS} lists of numbers ({error})') from error
        dims = dims or array.shape[-1:]
        if array.shape != (NUM_KEYPOINTS, *dims) or dims not in ((2,), (3,)):
            raise ValueError(f'{path}: row {row}: expected {_ALLOWED}, as in the rows before, got {array.shape}')
        points.append(array)
    empty = np.full((NUM_KEYPOINTS, *(dims or (2,))), np.nan)
    keypoints = np.array([empty if p is None else p for p in points])
    return keypoints, [path.stem] * len(keypoints), range(len(keypoints))


def _read_table(path: Path) -> tuple[np.ndarray, list[str], list[int], list[str]]:
    """Keypoints, names and lines of the rows that are fine, and what is wrong with the others."""
    label_file = path.with_name(_LABEL_FILE)
    labels = _text(label_file).splitlines() if label_file.is_file() else []
    points, names, rows, malformed = [], [], [], []
    for row, cells in enumerate(csv.reader(io.StringIO(_text(path), newline='')), start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or (row == 1 and [_number(cell) for cell in cells].count(None) > 2):
            continue  # an empty line, or headings
        try:
            values, label = _read_row(cells, len(points[0]) if points else None)
            names.append(_named(label, labels) if label else path.stem)
        except ValueError as error:
            malformed.append(f'line {row}: {error}')
            continue
        points.append(values)
        rows.append(row)
    shape = (len(points), NUM_KEYPOINTS, len(points[0]) // NUM_KEYPOINTS if points else 2)
    return np.array(points, dtype=float).reshape(shape), names, rows, malformed


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b'\n') + 1
        raise ValueError(f'{path}: line {line}: expected text in UTF-8 ({error.reason})') from None


def _read_row(cells: list[str], width: int | None) -> tuple[list[float], str | None]:
    """Numbers, as many as ``width`` where that is known; a label stands before them, or after them as text."""
    width = width or next((w for w in _WIDTHS if len(cells) in (w, w + 1)), 0)
    if not width or len(cells) not in (width, width + 1):
        expected = f'{width}, as before,' if width else f'{_WIDTHS[0]} or {_WIDTHS[1]}'
        raise ValueError(f'expected {expected} numbers and a label, got {len(cells)} cells')
    values = [_number(cell) for cell in cells]
    labelled = len(cells) > width
    if labelled and values[0] is None and values[-1] is None:
        raise ValueError(f'expected one label, before or after the numbers, got {cells[0]!r} and {cells[-1]!r}')
    last = labelled and values[-1] is None
    first = 1 if labelled and not last else 0
    if first and not (values[0] is None or float(values[0]).is_integer()):
        raise ValueError(f'expected a whole number as the label before the others, got {cells[0]}')
    numbers = values[first : first + width]
    if None in numbers:
        wrong = first + numbers.index(None)
        raise ValueError(f'expected numbers, got {cells[wrong]!r} in cell {wrong + 1}')
    return numbers, cells[-1 if last else 0] if labelled else None


def _number(cell: str) -> float | None:
    """The number of a cell, NaN of an empty one, None of text."""
    try:
        return float(cell or 'nan')
    except ValueError:
        return None


def _named(label: str, labels: list[str]) -> str:
    """The name of a label that is a number, where there is one."""
    return labels[int(label)].strip() if label.isdecimal() and int(label) < len(labels) else label
