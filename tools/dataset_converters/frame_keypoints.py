"""Reading of tables with the keypoints of one hand in each frame of a video."""

import csv
from pathlib import Path

import numpy as np

from handkp_plugins.fileio.keypoint_tables import read_keypoint_table
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

TABLE_SUFFIXES = ('.csv', '.json')
_HEADER = ['frame', *(f'{axis}{k}' for k in range(NUM_KEYPOINTS) for axis in 'xyv')]
_LEAST_SPAN = 2.0  # pixels; less is a hand in metres, or in shares of the image


def read_frame_keypoints(path: Path) -> dict[int, np.ndarray]:
    """Read a table of one of the forms that ``video_keypoints.py`` describes.

    Returns:
        For each index of a frame the keypoints (21, 3), in our order (MediaPipe's): x, y in pixels and visibility.

    Raises:
        ValueError: The file is malformed, or its numbers are not pixels; the message names file and line or row.
    """
    hands = _read_csv(path) if path.suffix == '.csv' else _read_json(path)
    spans = [np.ptp(hand[hand[:, 2] > 0, :2], axis=0).max() for hand in hands.values() if (hand[:, 2] > 0).sum() > 1]
    if spans and max(spans) < _LEAST_SPAN:
        raise ValueError(
            f'{path}: expected pixels of the frame, got hands of less than {_LEAST_SPAN:g}: these are metres, '
            'or shares of the image'
        )
    return hands


def _read_csv(path: Path) -> dict[int, np.ndarray]:
    hands: dict[int, np.ndarray] = {}
    with path.open(newline='', encoding='utf-8-sig') as file:
        rows = csv.reader(file)
        header = [cell.strip() for cell in next(rows, [])]
        if header != _HEADER:
            raise ValueError(
                f'{path}: line 1: expected the header frame,x0,y0,v0,…,x20,y20,v20, got {",".join(header)[:60]}'
            )
        for row in rows:
            where = f'{path}: line {rows.line_num}'
            if len(row) != len(_HEADER):
                raise ValueError(f'{where}: expected {len(_HEADER)} values, got {len(row)}')
            if not row[0].strip().isdecimal():
                raise ValueError(f'{where}: frame: expected a whole number from 0, got {row[0]!r}')
            frame = int(row[0])
            if frame in hands:
                raise ValueError(f'{where}: expected one hand for each frame, got frame {frame} for the second time')
            try:
                points = np.array(row[1:], dtype=float).reshape(NUM_KEYPOINTS, 3)
            except ValueError as e:
                raise ValueError(f'{where}: expected numbers, got text ({e})') from None
            if not np.isin(points[:, 2], (0, 1, 2)).all():
                raise ValueError(f'{where}: visibility: expected 0, 1 or 2, got {points[:, 2].tolist()}')
            if not np.isfinite(points[points[:, 2] > 0]).all():
                raise ValueError(f'{where}: expected finite numbers at a labelled keypoint, got NaN or infinity')
            hands[frame] = points
    return hands


def _read_json(path: Path) -> dict[int, np.ndarray]:
    hands = {}
    recorded = read_keypoint_table(path)
    for row, points in zip(recorded.rows, recorded.keypoints[..., :2], strict=True):
        finite = np.isfinite(points)
        if finite.all():
            hands[int(row)] = np.column_stack([points, np.ones(NUM_KEYPOINTS)])
        elif finite.any():
            raise ValueError(f'{path}: row {row}: expected finite numbers, or null for no hand, got NaN or infinity')
    return hands
