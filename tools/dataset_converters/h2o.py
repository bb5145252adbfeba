"""Convert H2O (two hands, first-person camera) to a file of videos for ``HandClipDataset``.

**Untested on the originals**, which are to be had on request and for research only: tree, files and labels are those
that their authors and public programs which read the set agree on.

Usage:
    python tools/dataset_converters/h2o.py data/h2o --splits train val
    python tools/dataset_converters/h2o.py data/h2o --test-labels my_test_labels.txt

Input:
    data/h2o/
        action_labels/action_{train,val,test}.txt       a header with the columns' names, then a segment a line:
                                                        id path action start_act end_act start_frame end_frame
        subject1/h1/0/cam4/rgb/000000.png …             1280×720, or another size of that form (--images)
        subject1/h1/0/cam4/hand_pose/000000.txt …       flag and 63 numbers of the left hand, of the right hand; metres
        subject1/h1/0/cam4/cam_intrinsics.txt           fx fy cx cy W H

Output:
    data/h2o/annotations/{train,val,test}.json

A video is a segment from start_act to end_act, both included. Actions count from 1 in the files and from 0 here; the
object is the last word of the action. A hand whose flag is 0 has no annotation. The published test file has no column
of actions: such a file is refused, and --test-labels names another one.

Ends with the number of segments found, converted and skipped (without an image or a pose), and of clips: the whole set
has 569, 122 and 242 segments, 18,765 clips to train and 254 and 492 to validate and test.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from clip_records import ClipConversion, Records, write_clips
from conversion import make_parser, run
from tqdm import tqdm

from handkp_plugins.fileio.coco import SPLITS
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

OBJECTS = ('book', 'espresso', 'lotion', 'spray', 'milk', 'cocoa', 'chips', 'cappuccino')
_VERBS = {
    'grab': OBJECTS,
    'place': OBJECTS,
    'open': ('lotion', 'milk', 'chips'),
    'close': ('lotion', 'milk', 'chips'),
    'pour': ('milk',),
    'take out': ('espresso', 'cocoa', 'chips', 'cappuccino'),
    'put in': ('espresso', 'cocoa', 'cappuccino'),
    'apply': ('lotion', 'spray'),
    'read': ('book', 'espresso'),
    'spray': ('spray',),
    'squeeze': ('lotion',),
}
ACTIONS = tuple(f'{verb} {thing}' for verb, things in _VERBS.items() for thing in things)
COLUMNS = ('id', 'path', 'action', 'start_act', 'end_act', 'start_frame', 'end_frame')


def main(
    root: str | Path,
    splits: Sequence[str] = SPLITS,
    test_labels: str | Path | None = None,
    images: str = 'rgb',
) -> str:
    """Convert the videos, and return the printed account.

    Args:
        root: The set's folder.
        splits: Which of :data:`SPLITS` to convert.
        test_labels: File of the test's segments, with their actions.
        images: Folder of images beside ``hand_pose``.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is not of the form above; the message names file and line.
    """
    if not splits or not set(splits) <= set(SPLITS):
        raise ValueError(f'splits: expected one or more of {SPLITS}, got {tuple(splits)}')
    base = Path(root)
    files = {split: base / 'action_labels' / f'action_{split}.txt' for split in splits}
    if test_labels is not None:
        files['test'] = Path(test_labels)
    segments = {split: read_segments(path) for split, path in files.items()}
    conversion, lines = ClipConversion(base), []
    for split, found in segments.items():
        records = [
            record
            for segment in tqdm(found, unit='segment', desc=split)
            if (record := _convert(conversion, *segment, images)) is not None
        ]
        path = base / 'annotations' / f'{split}.json'
        lines.append(write_clips(path, records, ACTIONS, OBJECTS, f'H2O, {split}, cam4, images of {images}'))
    conversion.report()
    for line in lines:
        conversion.tell(line)
    return '\n'.join(conversion.lines)


def read_segments(path: Path) -> list[tuple[int, str, int, int, int]]:
    """Id, path, action from 0 on, first frame and last frame of each segment."""
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; it comes with the set')
    rows = [line.split() for line in path.read_text().splitlines()]
    header = [name.removesuffix('_label') for name in rows[0]] if rows else []
    if 'action' not in header:
        raise ValueError(
            f'{path}: columns: expected {" ".join(COLUMNS)}, got {" ".join(header) or "an empty file"}; the published '
            'test file has no actions: give --test-labels a file that has, or leave the test out (--splits train val)'
        )
    if missing := set(COLUMNS[:5]) - set(header):
        raise ValueError(f'{path}: columns: expected {" ".join(COLUMNS)}, missing {", ".join(sorted(missing))}')
    segments = []
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        where = f'{path}: line {number}'
        fields = dict(zip(header, row, strict=False))
        try:
            if len(row) != len(header):
                raise ValueError
            index, action, start, end = (int(fields[name]) for name in ('id', 'action', 'start_act', 'end_act'))
        except ValueError:
            raise ValueError(f'{where}: segment: expected {" ".join(header)}, got {" ".join(row)!r}') from None
        if not 1 <= action <= len(ACTIONS):
            raise ValueError(f'{where}: action: expected a number from 1 to {len(ACTIONS)}, got {action}')
        if not 0 <= start <= end:
            raise ValueError(f'{where}: start_act, end_act: expected 0 ≤ start ≤ end, got {start}, {end}')
        segments.append((index, fields['path'], action - 1, start, end))
    return segments


def read_hands(path: Path) -> dict[str, np.ndarray | None]:
    """Joints (21, 3) of the left and the right hand in metres, None for a hand whose flag is 0."""
    numbers = _numbers(path, 2 * (1 + 3 * NUM_KEYPOINTS), 'hands')
    hands: dict[str, np.ndarray | None] = {}
    for name, own in zip(('left', 'right'), numbers.reshape(2, -1), strict=True):
        if own[0] not in (0, 1):
            raise ValueError(f'{path}: {name} hand: flag: expected 0 or 1, got {own[0]:g}')
        points = own[1:].reshape(NUM_KEYPOINTS, 3)
        if own[0] and not (points[:, 2] > 0).all():
            raise ValueError(f'{path}: {name} hand: depth: expected metres above 0, got {points[:, 2].min():g}')
        hands[name] = points if own[0] else None
    return hands


@cache
def read_camera(path: Path) -> tuple[np.ndarray, tuple[int, int]]:
    """Pinhole matrix (3, 3) and the size [W, H] of its images."""
    fx, fy, cx, cy, width, height = _numbers(path, 6, 'fx fy cx cy W H')
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), (int(width), int(height))


def _numbers(path: Path, count: int, meaning: str) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; it comes with the set')
    words = path.read_text().split()
    try:
        numbers = np.array(words, float)
    except ValueError:
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f'{path}: {meaning}: expected {count} finite numbers, got {len(words)}: {words[:3]} …')
    return numbers


def _convert(
    conversion: ClipConversion, index: int, path: str, action: int, start: int, end: int, images: str
) -> Records | None:
    name = f'{index} {path} {start}-{end}'
    folder = conversion.root / path / 'cam4'
    poses = [folder / 'hand_pose' / f'{i:06d}.txt' for i in range(start, end + 1)]
    if missing := [pose for pose in poses if not pose.is_file()]:
        return conversion.skip(f'{name} ({missing[0]})', 'no such pose')
    files = [f'{path}/cam4/{images}/{i:06d}.png' for i in range(start, end + 1)]
    camera, size = read_camera(folder / 'cam_intrinsics.txt')
    thing = OBJECTS.index(ACTIONS[action].split()[-1])
    hands = [read_hands(pose) for pose in poses]
    return conversion.record(name, files, start, hands, camera, size, action=action, object=thing)


if __name__ == '__main__':
    parser = make_parser(__doc__)
    parser.add_argument('--splits', nargs='+', choices=SPLITS, default=SPLITS, help='which to convert')
    parser.add_argument('--test-labels', metavar='FILE', help="the test's segments with their actions")
    parser.add_argument('--images', default='rgb', help='folder of images in cam4 (default %(default)s)')
    run(main, parser)
