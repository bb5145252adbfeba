"""Output of a measurement of finger tapping: JSON, two tables and a summary in words.

- ``tapping.json``: ``version`` 1, ``source``, ``hand``, ``hands`` (frames of each), then the fields of
  :class:`~handkp_plugins.apps.finger_tapping.measure.Tapping` with ``count``, ``gaps`` and ``taps``
- ``taps.csv``: a row for each tap
- ``distance.csv``: a row for each frame; the distance is empty if the hand is not known
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.fileio.atomic import write_text

from .hand_series import HandSeries
from .measure import Tap, Tapping

VERSION = 1
NO_DEVICE = 'A measuring tool for research, no medical device.'


def as_document(tapping: Tapping, series: HandSeries) -> dict[str, Any]:
    """Return what ``tapping.json`` holds."""
    head = dict(version=VERSION, note=NO_DEVICE, source=series.source, hand=series.hand, hands=series.hands)
    return (
        head | tapping.as_dict() | dict(complete=series.complete) | (dict(truth=series.truth) if series.truth else {})
    )


def write_measurement(out: Path, document: dict[str, Any], tapping: Tapping, series: HandSeries) -> None:
    """Write ``tapping.json``, ``taps.csv`` and ``distance.csv`` into a folder; raises OSError if that fails."""
    write_text(out / 'tapping.json', json.dumps(document, indent=1))
    names = [field.name for field in fields(Tap)]
    rows = ([i + 1, *(getattr(tap, name) for name in names)] for i, tap in enumerate(tapping.taps))
    write_text(out / 'taps.csv', _table(['tap', *names], rows))
    columns = (array.tolist() for array in (series.index, series.time, tapping.distance, tapping.size))
    write_text(out / 'distance.csv', _table(['frame', 'time', 'distance', 'hand_size'], zip(*columns, strict=True)))


def _table(header: list[str], rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f'{value:.5g}' if np.isfinite(value) else ''
    return int(value) if isinstance(value, bool) else '' if value is None else value


def summary(tapping: Tapping, series: HandSeries) -> str:
    """Return the measurement in words, a figure per line. Figures that could not be measured are left out."""
    used = int(np.isfinite(tapping.distance).sum())
    hands = ', '.join(f'{name} ({count} frames)' for name, count in series.hands.items())
    lines = [
        f'{series.source}: hand {series.hand} of {hands}' if len(series.hands) > 1 else series.source,
        f'frames: {used} of {len(tapping.time)} usable, {tapping.frame_rate:.2f} frames/s, '
        f'{tapping.time[-1] - tapping.time[0]:.2f} s',
    ]
    if not series.complete:
        lines.append('the video was not read to its end')
    if tapping.gaps:
        long = [gap for gap in tapping.gaps if not gap.bridged]
        where = ''.join(f'; not from {gap.start:.2f} to {gap.end:.2f} s' for gap in long)
        lines.append(f'gaps: {len(tapping.gaps)}, {len(tapping.gaps) - len(long)} of them bridged{where}')
    if tapping.reason:
        lines.append(tapping.reason)
    lines.append(f'taps: {len(tapping.taps)}')
    if tapping.frequency is not None:
        lines.append(f'frequency: {tapping.frequency:.3f} taps/s')
        cv = '' if tapping.interval_cv is None else f', variation {tapping.interval_cv:.1%} of the mean'
        lines.append(f'rhythm: intervals of {tapping.interval_median:.3f} s (median){cv}')
    if tapping.taps:
        lines.append(f'amplitude: {tapping.amplitude:.3f} hand sizes')
        if tapping.decrement is not None:
            lines.append(
                f'amplitude lost: {tapping.decrement:.1%} from the first tap to the last, '
                f'{tapping.decrement_per_tap:.2%} per tap'
            )
        lines.append(
            f'speed: {tapping.closing_speed:.2f} closing, {tapping.opening_speed:.2f} opening, hand sizes/s '
            '(maximum of each tap, mean)'
        )
    if tapping.frequency is not None:
        late = ''.join(f'; {tap.interval:.2f} s before {tap.time:.2f} s' for tap in tapping.hesitations)
        lines.append(f'hesitations: {len(tapping.hesitations)}{late}')
    return '\n'.join([*lines, *(f'note: {warning}' for warning in tapping.warnings)])
