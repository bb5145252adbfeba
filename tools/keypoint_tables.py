"""Write the keypoints that a frozen network finds in all frames of a set as tables that GestureNet learns from.

Examples:
    python tools/keypoint_tables.py data/fingerspelling configs/msahp/msahp_small-128_fingerspelling.py \\
        work_dirs/msahp_small-128_fingerspelling/epoch_10.pth --out data/gestures/fingerspelling
    python tools/keypoint_tables.py data/fingerspelling --labels --out data/gestures/fingerspelling-true

Input: ``ROOT/annotations/{train,val,test}.json``, those that exist, COCO with the hand's box, its ``gesture``, and of
each image ``video_id`` and, where it is known, ``person``. ``tools/make_synthetic.py --signs`` and
``tools/dataset_converters/rwth_fingerspelling.py`` write such files. With ``--labels`` the labelled keypoints are
written, and no network is needed.

Output: ``OUT/{train,val,test}.csv``, a line ``gesture,x0,y0,…,x20,y20`` for each hand, in pixels. Hands of which the
image cannot be read, or with ``--labels`` some keypoint has no label, are left out and listed. That a person or clip is
in two of the files is an error.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.apis.inference import init_model, predict_each
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.coco import SPLITS
from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.fileio.images import read_image
from handkp_plugins.structures.boxes import xywh_to_xyxy

OUT = 'data/gestures/fingerspelling'


def main(
    root: str | Path,
    config: str | Path | None = None,
    checkpoint: str | Path | None = None,
    out: str | Path = OUT,
    labels: bool = False,
    device: str = 'auto',
    batch_size: int = 32,
) -> dict[str, int]:
    """Write the tables; returns how many hands each has. See the top of this file.

    Args:
        config, checkpoint: of the network; the checkpoint may be ``handkp://NAME``.
        labels: write the labelled keypoints instead.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        batch_size: images that go through the network at once.

    Raises:
        FileNotFoundError: there are no such files.
        ValueError: neither or both of network and labels are given, a file is not of the form above, or two files
            share a person or clip.
    """
    root, out = Path(root), Path(out)
    if labels == (config is not None) or (config is None) != (checkpoint is None):
        raise ValueError('CONFIG and CHECKPOINT, or --labels: expected exactly one of the two')
    if batch_size < 1:
        raise ValueError(f'--batch-size: expected an integer from 1, got {batch_size}')
    files = {split: root / 'annotations' / f'{split}.json' for split in SPLITS}
    sets = {split: _read(file, labels) for split, file in files.items() if file.is_file()}
    if not sets:
        raise FileNotFoundError(f'{root / "annotations"}: expected one of {", ".join(SPLITS)} as .json, found none')
    _check_apart(root, sets)
    model = None if labels else init_model(config, checkpoint, device)
    counts, skipped = {}, []
    for split, annotations in sets.items():
        if labels:
            found = _labelled(annotations, skipped)
        else:
            found = _predicted(model, root, tqdm(annotations, unit='hand', desc=split), batch_size, skipped)
        lines = [','.join([sign, *(f'{v:.2f}' for v in points.ravel())]) for sign, points in found]
        write_text(out / f'{split}.csv', '\n'.join(lines) + '\n')
        counts[split] = len(lines)
        print(f'{out / split}.csv: {len(lines)} hands')
    if skipped:
        print(f'left out {len(skipped)}:', *skipped, sep='\n  ')
    return counts


def _read(path: Path, labels: bool) -> list[dict]:
    """Return the annotations, each with its image's record, its box (4,) and, if wanted, its keypoints (21, 3)."""
    keys = ('id', 'image_id', 'gesture', 'bbox', *(['keypoints'] if labels else []))
    file = CocoFile(path, ('id', 'file_name', 'video_id'), keys)
    images = {image['id']: image for image in file.images}
    boxes = xywh_to_xyxy(file.boxes())
    points = file.keypoints() if labels else [None] * len(boxes)
    return [
        dict(a, image=images[a['image_id']], bbox=box, keypoints=hand)
        for a, box, hand in zip(file.annotations, boxes, points, strict=True)
    ]


def _check_apart(root: Path, sets: dict[str, list[dict]]) -> None:
    seen: dict[tuple, str] = {}
    for split, annotations in sets.items():
        for image in (a['image'] for a in annotations):
            for key in ('person', 'video_id'):
                if key in image and seen.setdefault((key, image[key]), split) != split:
                    raise ValueError(
                        f'{root}: {key} {image[key]!r} is in {seen[key, image[key]]}.json and in {split}.json: '
                        'expected a set that is split by people or clips'
                    )


def _labelled(annotations: list[dict], skipped: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Sign and keypoints (21, 2) of each hand that is labelled as a whole."""
    for a in annotations:
        points = a['keypoints']
        if (points[:, 2] > 0).all():
            yield a['gesture'], points[:, :2]
        else:
            skipped.append(f'{a["image"]["file_name"]}: annotation {a["id"]}: a keypoint without a label')


def _predicted(
    model: object, root: Path, annotations: tqdm, batch_size: int, skipped: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Sign and keypoints (21, 2) of each hand whose image can be read."""
    batch: list[tuple[str, np.ndarray, np.ndarray]] = []

    def found() -> Iterator[tuple[str, np.ndarray]]:
        signs, images, boxes = zip(*batch, strict=True)
        yield from zip(signs, predict_each(model, images, np.array(boxes, np.float32))[0], strict=True)
        batch.clear()

    for a in annotations:
        try:
            batch.append((a['gesture'], read_image(root / a['image']['file_name']), a['bbox']))
        except (OSError, ValueError) as e:
            skipped.append(str(e))
        if len(batch) == batch_size:
            yield from found()
    if batch:
        yield from found()


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help='folder of the set')
    parser.add_argument('config', nargs='?', help='of a network that finds keypoints')
    parser.add_argument('checkpoint', nargs='?', help='its weights, a file or handkp://NAME')
    parser.add_argument('--out', default=OUT, help='folder of the tables (default %(default)s)')
    parser.add_argument('--labels', action='store_true', help='write the labelled keypoints; without a network')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--batch-size', type=int, default=32, help='images at once (default %(default)s)')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments))
