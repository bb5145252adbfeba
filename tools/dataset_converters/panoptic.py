"""Convert the CMU Panoptic hand sets ("HandDB") to the files that MMPose's ``PanopticHand2DDataset`` reads.

Usage:
    python tools/dataset_converters/panoptic.py data/panoptic                  # the split that MMPose publishes
    python tools/dataset_converters/panoptic.py data/panoptic --set synthetic  # the 7,715 images of P-MSDSNet's paper

Input, as unpacked from the set's site (hand_labels.zip, hand_labels_synth.zip, hand143_panopticdb.tar):
    data/panoptic/
        hand_labels/manual_train/*.jpg, *.json     1,912 hands of MPII and NZSL     } --set mmpose
        hand_labels/manual_test/*.jpg, *.json        846 hands                      }
        hand143_panopticdb/hands_v143_14817.json  14,817 hands of the dome          }
        hand143_panopticdb/imgs/*.jpg                                               }
        hand_labels_synth/synth1..4/*.jpg, *.json  6,546 + 3,243 + 2,348 + 2,124 rendered hands   --set synthetic

    A JSON beside an image holds ``hand_pts``, 21 × [x, y, 1 where valid], and may hold ``is_left`` and ``head_size``.
    hands_v143_14817.json holds ``root``, a list of objects with ``img_paths`` and ``joint_self``, 21 × [x, y, valid].

Output:
    data/panoptic/annotations/
        panoptic_train.json    hand143_panopticdb and manual_train   } --set mmpose, in MMPose's own split
        panoptic_test.json     manual_test                           }
        synth_{train,val,test}.json    8:1:1 with a fixed seed         --set synthetic

Keypoints are in our order already. Annotations have the keys of MMPose's own files, and ``handedness`` where
``is_left`` is known. An unknown ``head_size``, which the class requires, is 0: MMPose's PCKh leaves the hand out, and
no other score uses it. Skipped hands are counted and listed. To look at the result: MMPose's
``tools/misc/browse_dataset.py CONFIG``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from conversion import Conversion, make_parser, run
from tqdm import tqdm

from handkp_plugins.fileio.coco import split_8_1_1
from handkp_plugins.fileio.json import read_json

PAPER_PARTS = ('synth2', 'synth3', 'synth4')
Hand = tuple[str, np.ndarray, dict[str, Any]]
"""Image relative to the root, keypoints (21, 3), further keys."""


def main(root: str, set_name: str = 'mmpose', parts: Sequence[str] = PAPER_PARTS, seed: int = 0) -> str:
    """Convert one of the sets, and return the printed account.

    Args:
        root: Folder in which the archives were unpacked.
        set_name: 'mmpose' or 'synthetic'.
        parts: Folders of hand_labels_synth to use, for 'synthetic'.
        seed: Seed of the 8:1:1 split, for 'synthetic'.

    Raises:
        FileNotFoundError: A part of the set is missing.
        ValueError: A file is malformed; the message names it.
    """
    base = Path(root)
    if set_name == 'mmpose':
        labels = base / 'hand_labels'
        splits = dict(
            panoptic_train=[*_read_dome(base), *_read_folder(base, labels / 'manual_train')],
            panoptic_test=list(_read_folder(base, labels / 'manual_test')),
        )
    elif set_name == 'synthetic':
        hands = {hand[0]: hand for part in parts for hand in _read_folder(base, base / 'hand_labels_synth' / part)}
        splits = {f'synth_{name}': [hands[key] for key in keys] for name, keys in split_8_1_1(hands, seed).items()}
    else:
        raise ValueError(f"set_name: expected 'mmpose' or 'synthetic', got {set_name!r}")

    conversion = Conversion(base)
    records = {}
    for name, hands in splits.items():
        progress = tqdm(hands, desc=name, unit='image')
        found = [conversion.record(image, keypoints, **extra) for image, keypoints, extra in progress]
        records[name] = [record for record in found if record is not None]
    conversion.report()
    return conversion.write(records, f'CMU Panoptic hands, {set_name} set')


def _read_folder(root: Path, folder: Path) -> Iterator[Hand]:
    """Read a folder of images with a JSON beside each; an image without one has no labelled keypoint."""
    stems = sorted({path.stem for path in folder.glob('*') if path.suffix in ('.jpg', '.json')})
    if not stems:
        raise FileNotFoundError(f'{folder}: expected a folder with *.jpg and *.json files; unpack its archive here')
    for stem in stems:
        file = folder / f'{stem}.json'
        data = _read_object(file) if file.exists() else dict(hand_pts=np.zeros((21, 3)))
        extra = dict(dataset=folder.name, head_size=float(data.get('head_size') or 0))
        if 'is_left' in data:
            extra['handedness'] = 'left' if data['is_left'] else 'right'
        yield (folder / f'{stem}.jpg').relative_to(root).as_posix(), _keypoints(data, 'hand_pts', str(file)), extra


def _read_dome(root: Path) -> Iterator[Hand]:
    """Read the hands of the Panoptic dome."""
    file = root / 'hand143_panopticdb' / 'hands_v143_14817.json'
    entries = _read_object(file).get('root')
    if not isinstance(entries, list):
        raise ValueError(f'{file}: root: expected a list, got {entries!r:.80}')
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get('img_paths'), str):
            raise ValueError(f"{file}: root[{i}]: expected an object with the string 'img_paths', got {entry!r:.80}")
        extra = dict(dataset='hand143_panopticdb', head_size=float(entry.get('head_size') or 0))
        image = (file.parent / entry['img_paths']).relative_to(root).as_posix()
        yield image, _keypoints(entry, 'joint_self', f'{file}: root[{i}]'), extra


def _read_object(file: Path) -> dict:
    data = read_json(file, 'a file of the unpacked archive')
    if not isinstance(data, dict):
        raise ValueError(f'{file}: expected a JSON object, got {type(data).__name__}')
    return data


def _keypoints(data: dict, key: str, where: str) -> np.ndarray:
    try:
        keypoints = np.array(data[key], dtype=float)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f'{where}: {key}: expected 21 lists of 3 numbers, got {data.get(key)!r:.80}') from None
    if keypoints.shape != (21, 3):
        raise ValueError(f'{where}: {key}: expected 21 lists of 3 numbers, got the shape {keypoints.shape}')
    keypoints[:, 2] = keypoints[:, 2] == 1  # any other value means invalid
    if not np.isfinite(keypoints[keypoints[:, 2] == 1]).all():
        raise ValueError(f'{where}: {key}: expected finite coordinates, got a NaN or infinite one')
    return keypoints


if __name__ == '__main__':
    parser = make_parser(__doc__, 'folder in which the archives were unpacked')
    parser.add_argument('--set', dest='set_name', choices=('mmpose', 'synthetic'), default='mmpose')
    parser.add_argument('--parts', nargs='+', default=PAPER_PARTS, help='folders of hand_labels_synth to use')
    parser.add_argument('--seed', type=int, default=0, help='seed of the 8:1:1 split (default %(default)s)')
    run(main, parser)
