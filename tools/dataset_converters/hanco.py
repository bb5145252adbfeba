"""Convert HanCo (a right hand before 8 cameras) to a file of views for ``HanCoDataset``.

**Untested on the originals**, which are for research only: tree and files are those that their authors and public
programs which read the set agree on.

Usage:
    python tools/dataset_converters/hanco.py data/hanco
    python tools/dataset_converters/hanco.py data/hanco --every 10       a tenth of the frames

Input (https://lmb.informatik.uni-freiburg.de/projects/hanco/):
    data/hanco/
        rgb/0000/cam0/00000000.jpg …                   224×224, sequences below 1200: to train
        rgb_merged/1200/cam0/00000000.jpg …            other backgrounds, the other sequences: to test
        rgb_2D_keypoints/0000/cam0/00000000.json …     OpenPose: 21×2 pixels and 21 confidences
        calib/0000/00000000.json …                     K 8×3×3, and M 8×4×4 from the world to the cameras, metres
        xyz/0000/00000000.json …                       21×3 metres in the world

Output:
    data/hanco/annotations/{train,test}.json

Training images get OpenPose's labels and no 3D ones. Test images get 3D joints, and as 2D labels, which no score uses,
their projections. A frame is converted if all its images are there.

Ends with the number of frames found, converted and skipped.
"""

import argparse
from pathlib import Path

import numpy as np
from conversion import Account, make_parser, run
from tqdm import tqdm
from view_records import SIZE, Records, read_numbers, view_record, write_views

from handkp_plugins.codecs.pixel_depth import project
from handkp_plugins.fileio.images import read_image
from handkp_plugins.fileio.json import read_json

NUM_CAMERAS, FIRST_TEST = 8, 1200
_FRAMES = 100_000  # more than any sequence has


def main(root: str | Path, every: int = 1) -> str:
    """Convert the set, and return the printed account.

    Args:
        root: The set's folder.
        every: Convert every n-th frame of a sequence.

    Raises:
        FileNotFoundError: A folder is missing.
        ValueError: A file is not of the form above; the message names it.
    """
    if every < 1:
        raise ValueError(f'every: expected an integer from 1, got {every}')
    account = Account(Path(root), 'frames')
    calibrations = sorted((account.root / 'calib').glob('*/*.json'))
    if not calibrations:
        raise FileNotFoundError(f'{account.root / "calib"}: no files SEQUENCE/FRAME.json; they come with the set')
    records: dict[str, list[Records]] = {'train': [], 'test': []}
    for path in tqdm(calibrations, unit='frame', desc='hanco'):
        if int(path.stem) % every:
            continue
        split = 'train' if int(path.parent.name) < FIRST_TEST else 'test'
        found = _convert(account, path, split == 'train')
        account.converted += bool(found)
        records[split] += found
    account.report()
    for split, found in records.items():
        if found:
            write_views(account, split, found, f'HanCo, {split}')
    return '\n'.join(account.lines)


def _convert(account: Account, path: Path, train: bool) -> list[Records]:
    """Return the records of a frame; none if it is skipped."""
    sequence, frame = path.parent.name, path.stem
    folder = 'rgb' if train else 'rgb_merged'
    images = [f'{folder}/{sequence}/cam{view}/{frame}.jpg' for view in range(NUM_CAMERAS)]
    if missing := [name for name in images if not (account.root / name).is_file()]:
        account.skip(f'{sequence}/{frame} ({missing[0]})', 'no such image')
        return []
    if frame == min(p.stem for p in path.parent.iterdir()):
        size = read_image(account.root / images[0]).shape
        if size[:2] != (SIZE, SIZE):
            raise ValueError(f'{account.root / images[0]}: expected {SIZE}×{SIZE} pixels, got {size[1]}×{size[0]}')
    cameras, places = _calibration(path)
    world = None if train else read_numbers(account.root / 'xyz' / sequence / path.name, (21, 3))
    records = []
    for view, (name, camera, place) in enumerate(zip(images, cameras, places, strict=True)):
        if world is None:
            points, labels = None, _labels(account.root / 'rgb_2D_keypoints' / sequence / f'cam{view}' / path.name)
        else:
            points = world @ place[:3, :3].T + place[:3, 3]
            labels = np.concatenate([project(points, camera)[:, :2], np.ones((21, 1))], 1)
        known = dict(K=camera, R=place[:3, :3], t=place[:3, 3])
        records.append(view_record(name, _FRAMES * int(sequence) + int(frame), view, known, labels, points))
    return records


def _calibration(path: Path) -> tuple[np.ndarray, np.ndarray]:
    data = read_json(path, 'a calibration')
    arrays = []
    for key, n in (('K', 3), ('M', 4)):
        try:
            value = np.array(data[key], float)
        except (KeyError, TypeError, ValueError):
            value = np.empty(0)
        if value.shape != (NUM_CAMERAS, n, n):
            raise ValueError(f'{path}: {key}: expected numbers of shape {(NUM_CAMERAS, n, n)}, got {value.shape}')
        arrays.append(value)
    return arrays[0], arrays[1]


def _labels(path: Path) -> np.ndarray:
    """OpenPose's labels (21, 3): pixels and confidence."""
    data = read_json(path, 'OpenPose labels')
    try:
        points, confidences = np.array(data[0], float), np.array(data[1], float)
        labels = np.concatenate([points.reshape(21, 2), confidences.reshape(21, 1).clip(0, 1)], 1)
    except (KeyError, IndexError, TypeError, ValueError):
        raise ValueError(f'{path}: expected 21×2 pixels and 21 confidences, got something else') from None
    return labels


def parse() -> argparse.ArgumentParser:
    """Make the parser."""
    parser = make_parser(__doc__)
    parser.add_argument('--every', type=int, default=1, metavar='N', help='convert every N-th frame (default 1)')
    return parser


if __name__ == '__main__':
    run(main, parse())
