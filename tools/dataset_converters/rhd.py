"""Convert the Rendered Handpose Dataset (RHD) to COCO keypoint JSON for MMPose's ``Rhd2DDataset``.

The published labels are pickles, which may run any program when they are read in the usual way. Here they may hold
arrays, dictionaries, lists, strings and numbers, and are refused where they name anything else.

Usage:
    python tools/dataset_converters/rhd.py data/rhd
    python tools/dataset_converters/rhd.py data/rhd --left flip

Input:
    data/rhd/
        training/anno_training.pickle        {0: {'uv_vis': (42, 3), …}, 1: …}: u, v in pixels and whether it is seen,
        training/color/00000.png …           of the left hand's 21 keypoints, then of the right hand's; 320×320
        evaluation/anno_evaluation.pickle
        evaluation/color/00000.png …

Output:
    data/rhd/
        annotations/{train,val,test}.json    a record for each hand: test of evaluation, val of 480 hands of training
        mirrored/training/00000.png …        with --left flip: pictures with a left hand, mirrored

Keypoints keep the set's order: the wrist, then thumb to little finger, each from its tip to its root, as in MMPose's
own files; the configs turn it into ours (``configs/_base_/datasets/hand_rhd.py``). Visibility is 2 seen, 1 hidden,
0 outside the picture. A hand of which fewer than --min-seen keypoints are seen is skipped. Annotations tell
``handedness``, which with --left flip is that of the mirrored picture. The hands of one picture stay in one split.

Ends with the number of hands found, converted and skipped. To look at the result: MMPose's
``tools/misc/browse_dataset.py CONFIG``.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.coco import CocoRecorder, write_coco
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.fileio.restricted_pickle import read_plain_pickle
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

LEFT = ('keep', 'flip', 'skip')
_HANDS = ('left', 'right')
Record = tuple[dict, dict]


def main(root: str | Path, left: str = 'keep', num_val: int = 480, min_seen: int = 11, seed: int = 0) -> str:
    """Convert; see the module's docstring. Returns the account that is printed.

    Args:
        root: the set's folder.
        left: what becomes of left hands, of :data:`LEFT`.
        num_val: hands of the training part that validate.
        min_seen: the fewest seen keypoints of a hand that is converted.
        seed: of the choice of those that validate.

    Raises:
        FileNotFoundError: a pickle is missing.
        ValueError: a pickle is not of the form above or not of plain data; or no hand is left in a split.
    """
    if left not in LEFT:
        raise ValueError(f'left: expected one of {LEFT}, got {left!r}')
    if num_val < 1 or not 1 <= min_seen <= NUM_KEYPOINTS:
        raise ValueError(
            f'num_val, min_seen: expected from 1 on, and from 1 to {NUM_KEYPOINTS}, got {num_val}, {min_seen}'
        )
    base = Path(root)
    labels = {part: read_labels(base / part / f'anno_{part}.pickle') for part in ('training', 'evaluation')}
    recorder = CocoRecorder(base)
    converted = {
        part: [
            list(_convert(recorder, part, i, points, left, min_seen)) for i, points in tqdm(found.items(), desc=part)
        ]
        for part, found in labels.items()
    }
    lines = [recorder.report()]
    val, train = _choose(converted['training'], num_val, seed)
    test = [record for picture in converted['evaluation'] for record in picture]
    for split, records in dict(train=train, val=val, test=test).items():
        path = base / 'annotations' / f'{split}.json'
        write_coco(path, records, f'RHD, {split}; left hands: {left}', order='rhd')
        lines.append(f'{path}: {len(records)} hands')
    print('\n'.join(lines))
    return '\n'.join(lines)


def read_labels(path: Path) -> dict[int, np.ndarray]:
    """Both hands of each picture, (2, 21, 3): u, v and 1 where it is seen; left, right; in the set's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not of the published form; names the picture.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; it comes with the set')
    content = read_plain_pickle(path)
    if not isinstance(content, dict) or not content:
        raise ValueError(f'{path}: expected a dictionary of pictures, got {type(content).__name__}')
    labels = {}
    for i, label in content.items():
        array = np.asarray(label.get('uv_vis') if isinstance(label, dict) else None)
        if not isinstance(i, (int, np.integer)) or array.shape != (42, 3) or array.dtype.kind not in 'fiu':
            raise ValueError(
                f'{path}: picture {i!r}: expected a number with uv_vis of (42, 3) numbers, got '
                f'{array.dtype} {array.shape}'
            )
        if not np.isfinite(array).all():
            raise ValueError(f'{path}: picture {i}: expected finite numbers in uv_vis')
        labels[int(i)] = array.reshape(2, NUM_KEYPOINTS, 3).astype(float)
    return labels


def _convert(
    recorder: CocoRecorder, part: str, index: int, hands: np.ndarray, left: str, min_seen: int
) -> Iterator[Record]:
    """The records of a picture's hands; a left hand to be flipped has the mirror image written."""
    name = f'{part}/color/{index:05d}.png'
    try:
        picture = read_image(recorder.root / name)
    except (OSError, ValueError):
        picture = None  # the recorder says why
    for handedness, hand in zip(_HANDS, hands, strict=True):
        seen = hand[:, 2:] > 0
        if seen.sum() < min_seen:
            recorder.skip(f'{name} {handedness}', f'fewer than {min_seen} keypoints seen')
            continue
        if handedness == 'left' and left == 'skip':
            recorder.skip(f'{name} left', 'a left hand')
            continue
        points, file, side = np.hstack([hand[:, :2], 1 + seen]), name, handedness
        if picture is not None:
            last = np.array(picture.shape[1::-1]) - 1
            points[:, 2] *= ((points[:, :2] >= 0) & (points[:, :2] <= last)).all(1)
            if handedness == 'left' and left == 'flip':
                points[:, 0] = last[0] - points[:, 0]
                file, side = f'mirrored/{part}/{index:05d}.png', 'right'
                write_image(recorder.root / file, np.ascontiguousarray(picture[:, ::-1]))
        record = recorder.record(file, points, handedness=side)
        if record is not None:
            yield record


def _choose(pictures: list[list[Record]], num_val: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Exactly ``num_val`` hands of whole pictures, chosen at random, and the others."""
    val: list[Record] = []
    chosen = set()
    for i in np.random.default_rng(seed).permutation(len(pictures)).tolist():
        if pictures[i] and len(val) + len(pictures[i]) <= num_val:
            val += pictures[i]
            chosen.add(i)
    return val, [record for i, picture in enumerate(pictures) if i not in chosen for record in picture]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help="the set's folder; annotations/ is written there")
    parser.add_argument('--left', choices=LEFT, default='keep', help='what becomes of left hands (default %(default)s)')
    parser.add_argument('--num-val', type=int, default=480, help='hands that validate (default %(default)s)')
    parser.add_argument('--min-seen', type=int, default=11, help='seen keypoints, at least (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of those (default %(default)s)')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
