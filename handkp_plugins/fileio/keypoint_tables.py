"""Reading of recorded keypoints, one hand in each row: NumPy arrays, JSON lists and CSV tables of gestures."""

import csv
import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from .json import read_json

LABEL_KEYS = ('label', 'labels', 'gesture', 'name', 'names', 'y')
_LABEL_FILE = 'keypoint_classifier_label.csv'
_WIDTHS = (2 * NUM_KEYPOINTS, 3 * NUM_KEYPOINTS)
_EXPECTED = f'rows of {NUM_KEYPOINTS} × 2 or {NUM_KEYPOINTS} × 3 numbers'


@dataclass(frozen=True)
class RecordedHands:
    """The keypoints of N hands in a file."""

    path: Path
    keypoints: np.ndarray  # (N, 21, 2 or 3) as recorded; not finite in rows without a hand
    names: np.ndarray  # (N,) label of each row
    rows: np.ndarray  # (N,) the line of a CSV table, else the index of the record
    malformed: tuple[str, ...] = ()  # errors of the rows of a table that were left out

    def every(self, step: int) -> 'RecordedHands':
        """Return each ``step``-th row."""
        return self._select(slice(None, None, step))

    def usable(self) -> tuple['RecordedHands', list[int]]:
        """Return the rows with a hand, and ``rows`` of the others: not finite, or all keypoints in one place."""
        extent = np.ptp(self.keypoints, axis=1).max(1)
        fine = np.isfinite(extent) & (extent > 1e-9 * (1 + np.abs(self.keypoints).max((1, 2))))
        return self._select(fine), self.rows[~fine].tolist()

    def _select(self, rows: slice | np.ndarray) -> 'RecordedHands':
        return replace(self, keypoints=self.keypoints[rows], names=self.names[rows], rows=self.rows[rows])


def read_keypoint_table(path: str | Path, skip_malformed: bool = False) -> RecordedHands:
    """Read keypoints in our order, which is MediaPipe's. Without labels, all names are the file's.

    - ``.npy``, ``.npz``: an array (N, 21, 2), (N, 21, 3), (N, 42) or (N, 63). An ``.npz`` may hold labels: an array of
      N strings, named by one of :data:`LABEL_KEYS`.
    - ``.json``: a list with such a record for each frame, or null for a frame without a hand.
    - ``.csv``: a hand in each row: 42 or 63 numbers, with a label before or after them, with or without a header.
      Labels that are numbers are looked up in ``keypoint_classifier_label.csv`` in the same folder, if it exists.

    With ``skip_malformed``, malformed rows of a table are left out and listed in the result's ``malformed``. Otherwise
    a ValueError names file and row, as for a malformed record of the others.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'keypoints: expected an existing file, got {path}')
    malformed: list[str] = []
    suffix = path.suffix.lower()
    if suffix == '.csv':
        keypoints, names, rows, malformed = _read_csv(path)
        if malformed and not skip_malformed:
            raise ValueError(f'{path}: {malformed[0]}')
    elif suffix in ('.npy', '.npz', '.json'):
        keypoints, names = _read_json(path) if suffix == '.json' else _read_arrays(path)
        rows = range(len(keypoints))
    else:
        raise ValueError(f'keypoints: expected a file .csv, .json, .npy, .npz, got {path}')
    if not len(keypoints):
        raise ValueError(f'{path}: expected one or more records, got none')
    return RecordedHands(path, keypoints, np.array(names, dtype=str), np.array(rows), tuple(malformed))


def _as_hands(array: np.ndarray) -> np.ndarray | None:
    """Return an array of keypoints as (N, 21, 2 or 3), and None for any other array."""
    if array.dtype.kind not in 'fiu':
        return None
    if array.ndim == 2 and array.shape[1] in _WIDTHS:
        return array.reshape(len(array), NUM_KEYPOINTS, -1).astype(float)
    if array.ndim == 3 and array.shape[1] == NUM_KEYPOINTS and array.shape[2] in (2, 3):
        return array.astype(float)
    return None


def _read_arrays(path: Path) -> tuple[np.ndarray, list[str]]:
    try:
        loaded = np.load(path)
        if isinstance(loaded, np.ndarray):
            arrays = {'': loaded}
        else:
            with loaded:
                arrays = {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f'{path}: expected arrays of numbers and strings, got a file that cannot be read ({error})'
        ) from error
    found = [hands for array in arrays.values() if (hands := _as_hands(array)) is not None]
    if len(found) != 1:
        got = {name: f'{array.dtype} {array.shape}' for name, array in arrays.items()}
        raise ValueError(f'{path}: expected one array with {_EXPECTED}, got {got}')
    (keypoints,) = found
    labels = [
        arrays[key].tolist()
        for key in sorted(arrays, key=lambda key: key != 'y')
        if key.lower() in LABEL_KEYS and arrays[key].shape == (len(keypoints),) and arrays[key].dtype.kind == 'U'
    ]
    return keypoints, labels[0] if labels else [path.stem] * len(keypoints)


def _read_json(path: Path) -> tuple[np.ndarray, list[str]]:
    records = read_json(path, 'a list of records')
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
            raise ValueError(
                f'{path}: row {row}: expected {NUM_KEYPOINTS} lists of numbers, got others ({error})'
            ) from error
        dims = dims or array.shape[-1:]
        if array.shape != (NUM_KEYPOINTS, *dims) or dims not in ((2,), (3,)):
            raise ValueError(f'{path}: row {row}: expected {_EXPECTED}, as in the rows before, got {array.shape}')
        points.append(array)
    empty = np.full((NUM_KEYPOINTS, *(dims or (2,))), np.nan)
    return np.array([empty if p is None else p for p in points]), [path.stem] * len(points)


def _read_csv(path: Path) -> tuple[np.ndarray, list[str], list[int], list[str]]:
    """Return keypoints, names and lines of the good rows, and errors of the malformed ones."""
    label_file = path.with_name(_LABEL_FILE)
    labels = _read_text(label_file).splitlines() if label_file.is_file() else []
    points, names, rows, malformed = [], [], [], []
    for row, cells in enumerate(csv.reader(io.StringIO(_read_text(path), newline='')), start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or (row == 1 and [_number(cell) for cell in cells].count(None) > 2):
            continue  # an empty line or the header
        try:
            values, label = _parse_row(cells, len(points[0]) if points else None)
        except ValueError as error:
            malformed.append(f'line {row}: {error}')
            continue
        if label and label.isdecimal() and int(label) < len(labels):
            label = labels[int(label)].strip()
        points.append(values)
        names.append(label or path.stem)
        rows.append(row)
    shape = (len(points), NUM_KEYPOINTS, len(points[0]) // NUM_KEYPOINTS if points else 2)
    return np.array(points, dtype=float).reshape(shape), names, rows, malformed


def _read_text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b'\n') + 1
        raise ValueError(f'{path}: line {line}: expected text in UTF-8, got other bytes ({error.reason})') from None


def _parse_row(cells: list[str], width: int | None) -> tuple[list[float], str | None]:
    """Return the numbers of a row, ``width`` if that is known, and its label, which is before them or text after."""
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
    """Return the number in a cell, NaN if it is empty, None if it is text."""
    try:
        return float(cell or 'nan')
    except ValueError:
        return None
