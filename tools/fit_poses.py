"""Turn recorded keypoints of hands into joint angles, to pose generated hands with.

Usage:
    python tools/fit_poses.py recorded/*.csv --out data/poses/gestures.npz --every 5 --preview gestures.png
    python tools/fit_poses.py captured_3d.npz --out data/poses/captured.npz --sequence --handedness right
    python tools/fit_poses.py letters.npz --out data/poses/letters.npz --aspect 1.778 --depth-trust 0.3

Reads .npy, .npz, .json and .csv files with 21 keypoints in two or three dimensions a row, and a label; y points down,
as in pictures. Writes OUT with ``angles`` (N, 24) in degrees, ``names`` (N,), ``residual`` (N,), the root mean square
distance from keypoint to fit as a share of the hand's length, and ``sources`` (N,), the file and row of each. In
``angles``, fingers that the keypoints put inside each other, as they tell nothing of thickness, are then moved apart;
the residual and the preview are of the fit before that.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_bytes
from handkp_plugins.fileio.images import write_image
from handkp_plugins.fileio.keypoint_tables import RecordedHands, read_recorded
from handkp_plugins.synthetic.inverse_kinematics.fit_poses import FittedPoses, fit_poses
from handkp_plugins.synthetic.inverse_kinematics.separating import separated
from handkp_plugins.visualization import draw_hand, tile

_PREVIEW_ROWS, _CELL = 16, 200
_LEAST_DEPTH_SHARE, _FLAT_DEPTH_SHARE = 0.1, 0.3  # of a move in depth: where depth is not trusted; where there is none
_NAMED = 5  # rows without a hand that the report names


@dataclass(frozen=True)
class Report:
    """What became of a file's rows: fitted and kept, fitted badly and dropped, without a hand (which), malformed (how),
    and the median residual of all that were fitted."""

    path: Path
    kept: int
    dropped: int
    without_hand: list[int]
    malformed: tuple[str, ...]
    median: float

    def __str__(self) -> str:
        line = f'{self.path}: {self.kept} kept, {self.dropped} dropped, median residual {100 * self.median:.2f} %'
        if self.without_hand:
            line += f', {len(self.without_hand)} without a hand (rows {_some(self.without_hand)})'
        if self.malformed:
            line += f', {len(self.malformed)} malformed ({_some(self.malformed)})'
        return line


def _some(items: Sequence[Any]) -> str:
    return '; '.join(map(str, items[:_NAMED])) + (' …' if len(items) > _NAMED else '')


def main(
    inputs: Sequence[str | Path],
    out: str | Path,
    every: int = 1,
    max_residual: float = 0.06,
    handedness: str = 'auto',
    sequence: bool = False,
    aspect: float = 1.0,
    depth_trust: float = 1.0,
    noise: float = 0.003,
    skip_malformed: bool = False,
    preview: str | Path | None = None,
) -> list[Report]:
    """Fit poses to all rows of the files and write those that fit.

    Args:
        inputs: files that :func:`handkp_plugins.fileio.keypoint_tables.read_recorded` reads.
        out: ``.npz`` to write.
        every: take each so manyth row.
        max_residual: rows that fit worse are dropped; a share of the hand's length.
        handedness, sequence, depth_trust, noise: see :mod:`handkp_plugins.synthetic.inverse_kinematics.fit_poses`.
        aspect: width over height of the pictures, where x (and z) were divided by the width and y by the height.
        skip_malformed: leave out rows of tables that are no keypoints, and name them; else they are errors.
        preview: PNG to draw 16 random rows and their fits to.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: an option is out of range, a file is malformed, or nothing fits.
    """
    if every < 1 or not max_residual > 0 or not aspect > 0:
        raise ValueError(
            f'expected every of 1 or more, max_residual and aspect above 0, got {every}, {max_residual} and {aspect}'
        )
    if Path(out).suffix != '.npz':
        raise ValueError(f'out: expected a file .npz, got {out}')
    sets = [read_recorded(Path(path), skip_malformed).every(every) for path in inputs]
    reports, fits = [], []
    with tqdm(total=sum(len(s.rows) for s in sets), unit='hand', desc='poses') as bar:
        for recorded in sets:
            recorded, without = recorded.usable()
            bar.update(len(without))
            stretch = np.array([aspect, 1.0, aspect])[: recorded.keypoints.shape[2]]
            fit = fit_poses(recorded.keypoints * stretch, handedness, sequence, depth_trust, noise, progress=bar.update)
            good = fit.residual <= max_residual
            median = float(np.median(fit.residual)) if len(good) else float('nan')
            reports.append(
                Report(recorded.path, int(good.sum()), int((~good).sum()), without, recorded.malformed, median)
            )
            fits.append((recorded, stretch, fit, good))
    for report in reports:
        print(report)
    kept = sum(report.kept for report in reports)
    if not kept:
        raise ValueError(f'no row fits within a residual of {max_residual}; see the median residuals above')
    with tqdm(total=kept, unit='hand', desc='fingers apart') as bar:
        angles = [moved_apart(fit, good, depth_trust, bar.update) for *_, fit, good in fits]
    moved = sum(int((a != fit.angles[good]).any(1).sum()) for a, (*_, fit, good) in zip(angles, fits, strict=True))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        angles=np.concatenate(angles).astype(np.float32),
        names=np.concatenate([recorded.names[good] for recorded, _, _, good in fits]),
        residual=np.concatenate([fit.residual[good] for _, _, fit, good in fits]).astype(np.float32),
        sources=np.array([f'{r.path.name}:{row}' for r, _, _, good in fits for row in r.rows[good]]),
    )
    write_bytes(out, buffer.getvalue())
    print(f'{kept} poses in {out}, fingers moved apart in {moved}')
    if preview:
        write_image(preview, preview_sheet(fits))
        print(f'look at {preview}: keypoints given (left) and fitted (right)')
    return reports


def moved_apart(fit: FittedPoses, good: np.ndarray, depth_trust: float, progress: Callable[[int], None]) -> np.ndarray:
    """Angles (K, 24) of the good rows (N,) with no finger inside another."""
    flat = fit.keypoints.shape[2] == 2
    share = _FLAT_DEPTH_SHARE if flat else max(depth_trust, _LEAST_DEPTH_SHARE)
    return separated(fit.angles[good], fit.views[good], share, progress=progress)


def preview_sheet(fits: list[tuple[RecordedHands, np.ndarray, FittedPoses, np.ndarray]]) -> np.ndarray:
    """BGR picture of random rows: keypoints given and fitted side by side."""
    at = [(i, row) for i, (*_, good) in enumerate(fits) for row in range(len(good))]
    chosen = np.random.default_rng(0).permutation(len(at))[:_PREVIEW_ROWS]
    pictures, captions = [], []
    for i, row in (at[c] for c in sorted(chosen)):
        recorded, stretch, fit, good = fits[i]
        given, fitted = (recorded.keypoints[row] * stretch)[:, :2], fit.keypoints[row, :, :2]
        both = np.concatenate([given, fitted])
        low, extent = both.min(0), np.ptp(both, axis=0).max()
        sides = [
            draw_hand(np.full((_CELL, _CELL, 3), 245, np.uint8), (0.08 + 0.84 * (points - low) / extent) * _CELL)
            for points in (given, fitted)
        ]
        pictures.append(np.concatenate(sides, axis=1))
        dropped = '' if good[row] else ' DROPPED'
        captions.append(f'{recorded.names[row]} row {recorded.rows[row]}: {100 * fit.residual[row]:.1f} %{dropped}')
    return tile(pictures, columns=4, captions=captions)


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', help='.npy, .npz, .json or .csv files of keypoints')
    parser.add_argument('--out', required=True, help='.npz to write')
    parser.add_argument('--every', type=int, default=1, help='take each so manyth row (default %(default)s)')
    parser.add_argument(
        '--max-residual', type=float, default=0.06, help='drop what fits worse, share of a hand (default %(default)s)'
    )
    parser.add_argument('--handedness', choices=('auto', 'left', 'right'), default='auto', help='for 3D keypoints')
    parser.add_argument('--sequence', action='store_true', help='rows are frames in order: use the neighbours')
    parser.add_argument('--aspect', type=float, default=1.0, help='width / height, for x and y in shares of a picture')
    parser.add_argument(
        '--depth-trust', type=float, default=1.0, help='factor of errors in z, below 1 where z is a guess'
    )
    parser.add_argument('--noise', type=float, default=0.003, help='metres keypoints may be off (default %(default)s)')
    parser.add_argument('--skip-malformed', action='store_true', help='leave malformed rows of tables out, named')
    parser.add_argument('--preview', help='PNG to draw 16 random rows and their fits to')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments))
