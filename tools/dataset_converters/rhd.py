"""Convert the Rendered Handpose Dataset (RHD) to COCO keypoint JSON for MMPose's ``Rhd2DDataset``.

The published labels are pickles, which can run any program when they are read in the usual way. Here they may hold
arrays, dictionaries, lists, strings and numbers, and are refused if they name anything else.

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
        mirrored/training/00000.png …        with --left flip: mirrored images of left hands

Keypoints keep the set's order: the wrist, then thumb to little finger, each from its tip to its root, as in MMPose's
own files; the configs change it to ours (``configs/_base_/datasets/hand_rhd.py``). Visibility is 2 seen, 1 hidden,
0 outside the image. Hands with fewer than --min-seen seen keypoints are skipped. Annotations have ``handedness``, which
with --left flip is that of the mirrored image. The hands of one image stay in one split.

Ends with the number of hands found, converted and skipped. To look at the result: MMPose's
``tools/misc/browse_dataset.py CONFIG``.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from conversion import Conversion, make_parser, run
from tqdm import tqdm

from handkp_plugins.fileio.coco import Record
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.fileio.restricted_pickle import read_plain_pickle
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

LEFT = ('keep', 'flip', 'skip')
_HANDS = ('left', 'right')


def main(root: str | Path, left: str = 'keep', num_val: int = 480, min_seen: int = 11, seed: int = 0) -> str:
    """Convert the images, and return the printed account.

    Args:
        root: The dataset's folder.
        left: What to do with left hands, one of :data:`LEFT`.
        num_val: Number of validation hands, taken from the training part.
        min_seen: Fewest seen keypoints of a converted hand.
        seed: Seed of the choice of validation hands.

    Raises:
        FileNotFoundError: A pickle is missing.
        ValueError: A pickle is malformed or has other than plain data, or a split has no hand.
    """
    if left not in LEFT:
        raise ValueError(f'left: expected one of {LEFT}, got {left!r}')
    if num_val < 1 or not 1 <= min_seen <= NUM_KEYPOINTS:
        raise ValueError(
            f'num_val, min_seen: expected from 1 on, and from 1 to {NUM_KEYPOINTS}, got {num_val}, {min_seen}'
        )
    conversion = Conversion(Path(root))
    labels = {part: read_labels(conversion.root / part / f'anno_{part}.pickle') for part in ('training', 'evaluation')}
    converted = {
        part: [list(_convert(conversion, part, i, hands, left, min_seen)) for i, hands in tqdm(found.items(), part)]
        for part, found in labels.items()
    }
    conversion.report()
    val, train = _choose(converted['training'], num_val, seed)
    test = [record for image in converted['evaluation'] for record in image]
    return conversion.write(dict(train=train, val=val, test=test), f'RHD, left hands: {left}', order='rhd')


def read_labels(path: Path) -> dict[int, np.ndarray]:
    """Read both hands of each image, (2, 21, 3): u, v and 1 where it is seen; left, right; in the set's order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is malformed; the message names the image.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; it comes with the set')
    content = read_plain_pickle(path)
    if not isinstance(content, dict) or not content:
        raise ValueError(f'{path}: expected a dictionary of images, got {type(content).__name__}')
    labels = {}
    for i, label in content.items():
        where = f'{path}: image {i!r}'
        array = np.asarray(label.get('uv_vis') if isinstance(label, dict) else None)
        if not isinstance(i, (int, np.integer)) or array.shape != (42, 3) or array.dtype.kind not in 'fiu':
            raise ValueError(
                f'{where}: expected a number with uv_vis of (42, 3) numbers, got {array.dtype} {array.shape}'
            )
        if not np.isfinite(array).all():
            raise ValueError(f'{where}: uv_vis: expected finite numbers, got others')
        labels[int(i)] = array.reshape(2, NUM_KEYPOINTS, 3).astype(float)
    return labels


def _convert(
    conversion: Conversion, part: str, index: int, hands: np.ndarray, left: str, min_seen: int
) -> Iterator[Record]:
    """Yield the records of an image's hands, and write the mirrored image of a left hand that is flipped."""
    name = f'{part}/color/{index:05d}.png'
    try:
        image = read_image(conversion.root / name)
    except (OSError, ValueError):
        image = None  # conversion.record tells why
    for handedness, hand in zip(_HANDS, hands, strict=True):
        seen = hand[:, 2:] > 0
        if seen.sum() < min_seen:
            conversion.skip(f'{name} {handedness}', f'fewer than {min_seen} keypoints seen')
            continue
        if handedness == 'left' and left == 'skip':
            conversion.skip(f'{name} left', 'a left hand')
            continue
        points, file, side = np.hstack([hand[:, :2], 1 + seen]), name, handedness
        if image is not None:
            last = np.array(image.shape[1::-1]) - 1
            points[:, 2] *= ((points[:, :2] >= 0) & (points[:, :2] <= last)).all(1)
            if handedness == 'left' and left == 'flip':
                points[:, 0] = last[0] - points[:, 0]
                file, side = f'mirrored/{part}/{index:05d}.png', 'right'
                write_image(conversion.root / file, np.ascontiguousarray(image[:, ::-1]))
        record = conversion.record(file, points, handedness=side)
        if record is not None:
            yield record


def _choose(images: list[list[Record]], num_val: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Split the records into exactly ``num_val`` of whole images, chosen at random, and the others."""
    val: list[Record] = []
    chosen = set()
    for i in np.random.default_rng(seed).permutation(len(images)).tolist():
        if images[i] and len(val) + len(images[i]) <= num_val:
            val += images[i]
            chosen.add(i)
    return val, [record for i, image in enumerate(images) if i not in chosen for record in image]


if __name__ == '__main__':
    parser = make_parser(__doc__)
    parser.add_argument('--left', choices=LEFT, default='keep', help='what to do with left hands (default %(default)s)')
    parser.add_argument('--num-val', type=int, default=480, help='validation hands (default %(default)s)')
    parser.add_argument('--min-seen', type=int, default=11, help='fewest seen keypoints (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the validation hands (default %(default)s)')
    run(main, parser)
