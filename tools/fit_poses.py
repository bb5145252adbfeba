"""Turn recorded keypoints of hands into joint angles, to pose generated hands with.

Usage:
    python tools/fit_poses.py recorded/*.csv --out data/poses/gestures.npz --every 5 --preview gestures.png
    python tools/fit_poses.py captured_3d.npz --out data/poses/captured.npz --sequence --handedness right
    python tools/fit_poses.py letters.npz --out data/poses/letters.npz --aspect 1.778 --depth-trust 0.3

Reads .npy, .npz, .json and .csv files with 21 keypoints in two or three dimensions a row, and a label; y points down,
as in images. Writes OUT with ``angles`` (N, 24) in degrees, ``names`` (N,), ``residual`` (N,), the root mean square
distance from keypoint to fit as a share of the hand's length, and ``sources`` (N,), the file and row of each.
Keypoints say nothing of thickness, so a fit may put fingers inside each other: these are moved apart in ``angles``. The
residual and the preview are those of the fit before that.
"""

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_bytes
from handkp_plugins.fileio.images import write_image
from handkp_plugins.fileio.keypoint_tables import RecordedHands, read_keypoint_table
from handkp_plugins.synthetic.inverse_kinematics.fit_poses import FittedPoses, fit_poses
from handkp_plugins.synthetic.inverse_kinematics.separate_fingers import separate_fingers
from handkp_plugins.visualization import draw_hand, tile

_PREVIEW_ROWS, _CELL = 16, 200
_MIN_DEPTH_SHARE, _FLAT_DEPTH_SHARE = 0.1, 0.3  # of a move in depth: where depth is not trusted; where there is none
_MAX_LISTED = 5  # rows without a hand that the report lists


@dataclass(frozen=True)
class Fit:
    """A file's rows that show a hand: recorded, with axes in one unit (N, 21, D), fitted, and whether they fit (N,)."""

    recorded: RecordedHands
    keypoints: np.ndarray
    poses: FittedPoses
    good: np.ndarray
    without_hand: list[int]

    @property
    def kept(self) -> int:
        """Number of rows that fit."""
        return int(self.good.sum())

    @property
    def median(self) -> float:
        """Median residual of all rows, NaN if there are none."""
        return float(np.median(self.poses.residual)) if len(self.good) else float('nan')

    def __str__(self) -> str:
        line = f'{self.recorded.path}: {self.kept} kept, {len(self.good) - self.kept} dropped, '
        line += f'median residual {100 * self.median:.2f} %'
        if self.without_hand:
            line += f', {len(self.without_hand)} without a hand (rows {_list_some(self.without_hand)})'
        if malformed := self.recorded.malformed:
            line += f', {len(malformed)} malformed ({_list_some(malformed)})'
        return line


def _list_some(items: Sequence[Any]) -> str:
    return '; '.join(map(str, items[:_MAX_LISTED])) + (' …' if len(items) > _MAX_LISTED else '')


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
) -> list[Fit]:
    """Fit poses to all rows of the files and write those that fit; return the fit of each file.

    Args:
        inputs: Files that :func:`handkp_plugins.fileio.keypoint_tables.read_keypoint_table` reads.
        out: ``.npz`` to write.
        every: Take every n-th row.
        max_residual: Rows that fit worse are dropped; a share of the hand's length.
        handedness, sequence, depth_trust, noise: See :mod:`handkp_plugins.synthetic.inverse_kinematics.fit_poses`.
        aspect: Width over height of the images, where x (and z) were divided by the width and y by the height.
        skip_malformed: Leave out rows of tables that are no keypoints, and list them; else they are errors.
        preview: PNG to draw 16 random rows and their fits to.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: An option is out of range, a file is malformed, or nothing fits.
    """
    if every < 1 or not max_residual > 0 or not aspect > 0:
        raise ValueError(
            f'expected every of 1 or more, max_residual and aspect above 0, got {every}, {max_residual} and {aspect}'
        )
    if Path(out).suffix != '.npz':
        raise ValueError(f'out: expected a file .npz, got {out}')
    tables = [read_keypoint_table(Path(path), skip_malformed).every(every) for path in inputs]
    fits = []
    with tqdm(total=sum(len(table.rows) for table in tables), unit='hand', desc='poses') as bar:
        for table in tables:
            recorded, without_hand = table.usable()
            bar.update(len(without_hand))
            keypoints = recorded.keypoints * np.array([aspect, 1.0, aspect])[: recorded.keypoints.shape[2]]
            poses = fit_poses(keypoints, handedness, sequence, depth_trust, noise, progress=bar.update)
            fits.append(Fit(recorded, keypoints, poses, poses.residual <= max_residual, without_hand))
    for fit in fits:
        print(fit)
    kept = sum(fit.kept for fit in fits)
    if not kept:
        raise ValueError(f'no row fits within a residual of {max_residual}; see the median residuals above')
    angles, moved = [], 0
    with tqdm(total=kept, unit='hand', desc='fingers apart') as bar:
        for poses, good in ((fit.poses, fit.good) for fit in fits):
            share = _FLAT_DEPTH_SHARE if poses.keypoints.shape[2] == 2 else max(depth_trust, _MIN_DEPTH_SHARE)
            angles.append(separate_fingers(poses.angles[good], poses.views[good], share, progress=bar.update))
            moved += int((angles[-1] != poses.angles[good]).any(1).sum())
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        angles=np.concatenate(angles).astype(np.float32),
        names=np.concatenate([fit.recorded.names[fit.good] for fit in fits]),
        residual=np.concatenate([fit.poses.residual[fit.good] for fit in fits]).astype(np.float32),
        sources=np.array([f'{f.recorded.path.name}:{row}' for f in fits for row in f.recorded.rows[f.good]]),
    )
    write_bytes(out, buffer.getvalue())
    print(f'{kept} poses in {out}, fingers moved apart in {moved}')
    if preview:
        write_image(preview, draw_preview(fits))
        print(f'look at {preview}: recorded keypoints (left) and their fit (right)')
    return fits


def draw_preview(fits: list[Fit]) -> np.ndarray:
    """Draw a BGR image of random rows: recorded keypoints and their fit side by side."""
    rows = [(fit, row) for fit in fits for row in range(len(fit.good))]
    chosen = np.random.default_rng(0).permutation(len(rows))[:_PREVIEW_ROWS]
    images, captions = [], []
    for fit, row in (rows[i] for i in sorted(chosen)):
        hands = np.stack([fit.keypoints[row, :, :2], fit.poses.keypoints[row, :, :2]])
        low, extent = hands.min((0, 1)), np.ptp(hands, axis=(0, 1)).max()
        blank = np.full((_CELL, _CELL, 3), 245, np.uint8)
        places = (0.08 + 0.84 * (hands - low) / extent) * _CELL
        images.append(np.concatenate([draw_hand(blank.copy(), points) for points in places], axis=1))
        caption = f'{fit.recorded.names[row]} row {fit.recorded.rows[row]}: {100 * fit.poses.residual[row]:.1f} %'
        captions.append(caption + ('' if fit.good[row] else ' DROPPED'))
    return tile(images, columns=4, captions=captions)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', help='.npy, .npz, .json or .csv files of keypoints')
    parser.add_argument('--out', required=True, help='.npz to write')
    parser.add_argument('--every', type=int, default=1, help='take every n-th row (default %(default)s)')
    parser.add_argument(
        '--max-residual', type=float, default=0.06, help='drop what fits worse, share of a hand (default %(default)s)'
    )
    parser.add_argument('--handedness', choices=('auto', 'left', 'right'), default='auto', help='for 3D keypoints')
    parser.add_argument('--sequence', action='store_true', help='rows are frames in order: use the neighbours')
    parser.add_argument('--aspect', type=float, default=1.0, help='width / height, for x and y in shares of an image')
    parser.add_argument(
        '--depth-trust', type=float, default=1.0, help='weight of errors in z, below 1 where z is a guess'
    )
    parser.add_argument('--noise', type=float, default=0.003, help='error of keypoints, metres (default %(default)s)')
    parser.add_argument('--skip-malformed', action='store_true', help='leave malformed rows of tables out, listed')
    parser.add_argument('--preview', help='PNG to draw 16 random rows and their fits to')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments))
