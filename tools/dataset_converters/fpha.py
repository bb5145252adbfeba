"""Convert FPHA (First-Person Hand Action Benchmark) to a file of videos for ``HandClipDataset``.

**Untested on the originals**, which are to be had on request and for research only: tree, files and calibration are
those that their authors and public programs which read the set agree on.

Usage:
    python tools/dataset_converters/fpha.py data/fpha
    python tools/dataset_converters/fpha.py data/fpha --images Video_files_480

Input:
    data/fpha/
        action_object_info.txt                          a header, then: index action object …
        data_split_action_recognition.txt               "Training …", lines "Subject_1/put_salt/1 0", "Test …", lines
        Subjects_info/Subject_1_info.txt …              three lines of header, then: action sequence length
        Hand_pose_annotation_v1/Subject_1/put_salt/1/skeleton.txt …     or _v1_1: frame and 63 numbers in mm a line
        Video_files/Subject_1/put_salt/1/color/color_0000.jpeg …        1920×1080, or another size of that form

Output:
    data/fpha/annotations/{train,test}.json

600 videos train and 575 test, of 45 actions and 26 objects, which are numbered as they come in
action_object_info.txt. The joints of the right hand come in our order and in metres of the colour camera's frame. An
action is told by its folder's name; the label in the file of the split is not read.

Ends with the number of videos found, converted and skipped: those with fewer poses than frames, without an image, or
without an entry in Subjects_info.
"""

from pathlib import Path

import numpy as np
from clip_records import ClipConversion, Records, write_clips
from conversion import make_parser, run
from tqdm import tqdm

from handkp_plugins.structures.skeleton import to_our_order

POSES = ('Hand_pose_annotation_v1', 'Hand_pose_annotation_v1_1')
SIZE = (1920, 1080)
CAMERA = np.array([[1395.749023, 0, 935.732544], [0, 1395.749268, 540.681030], [0, 0, 1]])
ROTATION = np.array(
    [
        [0.999988496304, -0.00468848412856, 0.000982563360594],
        [0.00469115935266, 0.999985218048, -0.00273845880292],
        [-0.000969709653873, 0.00274303671904, 0.99999576807],
    ]
)
TRANSLATION = np.array([25.7, 1.22, 3.902])  # mm


def main(root: str | Path, images: str = 'Video_files', poses: str | None = None) -> str:
    """Convert the videos, and return the printed account.

    Args:
        root: The set's folder.
        images: Its folder of images.
        poses: Its folder of poses; by default the one of :data:`POSES` that is there.

    Raises:
        FileNotFoundError: A file or folder is missing.
        ValueError: A file is not of the form above; the message names file and line.
    """
    base = Path(root)
    if poses is None:
        poses = next((name for name in POSES if (base / name).is_dir()), POSES[0])
    for folder in (images, poses):
        if not (base / folder).is_dir():
            raise FileNotFoundError(f'{base / folder}: no such folder; it comes with the set')
    actions, objects, object_of = read_actions(base / 'action_object_info.txt')
    splits = read_split(base / 'data_split_action_recognition.txt', actions)
    lengths = {}
    for subject in sorted({name.split('/')[0] for names in splits.values() for name in names}):
        lengths |= read_lengths(base / 'Subjects_info' / f'{subject}_info.txt', subject)
    conversion, lines = ClipConversion(base), []
    for split, names in splits.items():
        records = [
            record
            for name in tqdm(names, unit='video', desc=split)
            if (record := _convert(conversion, name, lengths, images, poses, actions, object_of)) is not None
        ]
        path = base / 'annotations' / f'{split}.json'
        lines.append(write_clips(path, records, actions, objects, f'FPHA, {split}, images of {images}'))
    conversion.report()
    for line in lines:
        conversion.tell(line)
    return '\n'.join(conversion.lines)


def read_actions(path: Path) -> tuple[list[str], list[str], list[int]]:
    """Names of actions and objects, and the object of each action."""
    actions, objects, object_of = [], [], []
    for number, words in _lines(path, 1):
        if len(words) < 3 or words[0] != str(len(actions) + 1):
            expected = f'index {len(actions) + 1}, action and object'
            raise ValueError(f'{path}: line {number}: action: expected {expected}, got {" ".join(words)!r}')
        actions.append(words[1])
        if words[2] not in objects:
            objects.append(words[2])
        object_of.append(objects.index(words[2]))
    if not actions:
        raise ValueError(f'{path}: actions: expected one or more lines after the header, got none')
    return actions, objects, object_of


def read_split(path: Path, actions: list[str]) -> dict[str, list[str]]:
    """Videos "subject/action/sequence" of 'train' and 'test'."""
    splits: dict[str, list[str]] = dict(train=[], test=[])
    part = 'train'
    for number, words in _lines(path, 1):
        if words[0].startswith('Test'):
            part = 'test'
            continue
        parts = words[0].split('/')
        if len(parts) != 3 or parts[1] not in actions:
            expected = 'subject/action/sequence with an action of action_object_info.txt'
            raise ValueError(f'{path}: line {number}: video: expected {expected}, got {words[0]!r}')
        splits[part].append(words[0])
    for part, names in splits.items():
        if not names:
            raise ValueError(f'{path}: {part}: expected lines of videos before and after the line "Test …", got none')
    return splits


def read_lengths(path: Path, subject: str) -> dict[str, int]:
    """Number of frames of each of a subject's videos."""
    lengths = {}
    for number, words in _lines(path, 3):
        if len(words) != 3 or not words[2].isdigit():
            raise ValueError(f'{path}: line {number}: expected action, sequence and length, got {" ".join(words)!r}')
        lengths[f'{subject}/{words[0]}/{words[1]}'] = int(words[2])
    return lengths


def read_skeleton(path: Path) -> np.ndarray:
    """Joints (L, 21, 3) of the right hand in metres of the colour camera's frame, in our order."""
    rows = []
    for number, words in _lines(path, 0):
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) != 64 or row[0] != len(rows) or not np.isfinite(row).all():
            expected = f'frame {len(rows)} and 63 finite numbers'
            raise ValueError(f'{path}: line {number}: skeleton: expected {expected}, got {len(words)}: {words[:2]} …')
        rows.append(row[1:])
    world = to_our_order(np.reshape(rows, (-1, 21, 3)), 'fpha')
    return (world @ ROTATION.T + TRANSLATION) / 1000


def _lines(path: Path, header: int) -> list[tuple[int, list[str]]]:
    """Number and words of each line that is not empty, after the header."""
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; it comes with the set')
    lines = enumerate(path.read_text().splitlines(), start=1)
    return [(number, line.split()) for number, line in lines if number > header and line.strip()]


def _convert(
    conversion: ClipConversion,
    name: str,
    lengths: dict[str, int],
    images: str,
    poses: str,
    actions: list[str],
    object_of: list[int],
) -> Records | None:
    length = lengths.get(name, 0)
    skeleton = conversion.root / poses / name / 'skeleton.txt'
    if not length:
        return conversion.skip(name, 'no entry in Subjects_info')
    if not skeleton.is_file():
        return conversion.skip(name, 'no skeleton.txt')
    joints = read_skeleton(skeleton)
    if len(joints) < length:
        return conversion.skip(name, 'fewer poses than frames')
    files = [f'{images}/{name}/color/color_{i:04d}.jpeg' for i in range(length)]
    action = actions.index(name.split('/')[1])
    hands = [dict(right=points) for points in joints[:length]]
    return conversion.record(name, files, 0, hands, CAMERA, SIZE, action=action, object=object_of[action])


if __name__ == '__main__':
    parser = make_parser(__doc__)
    parser.add_argument('--images', default='Video_files', help='folder of images (default %(default)s)')
    parser.add_argument('--poses', help=f'folder of poses (default: the one of {", ".join(POSES)} that is there)')
    run(main, parser)
