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

Every keypoint set is in our order already. Beside the keys that MMPose's own files have, an annotation gets
``handedness`` where ``is_left`` is known. ``head_size``, which the class requires, is 0 where it is unknown: MMPose's
PCKh then leaves the hand out, and no other score uses it. Images stay where they are. What is skipped is counted and
listed. To look at the result: MMPose's ``tools/misc/browse_dataset.py CONFIG``.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.coco import CocoRecorder, split_8_1_1, write_coco

PAPER_PARTS = ('synth2', 'synth3', 'synth4')
Hand = tuple[str, np.ndarray, dict[str, Any]]
"""Image relative to the root, keypoints (21, 3), further keys."""


def main(root: str, set_name: str = 'mmpose', parts: Sequence[str] = PAPER_PARTS, seed: int = 0) -> str:
    """Convert one of the sets below ``root``; see the module's docstring. Returns the account that is printed.

    Args:
        root: folder that the archives were unpacked in; ``annotations/`` is written there.
        set_name: 'mmpose' or 'synthetic'.
        parts: folders of hand_labels_synth to take, for 'synthetic'.
        seed: of the 8:1:1 split, for 'synthetic'.

    Raises:
        FileNotFoundError: a part of the set is absent.
        ValueError: a file is not of the format above; the message names it.
    """
    base = Path(root)
    if set_name == 'mmpose':
        labels = base / 'hand_labels'
        splits = dict(
            train=[*_dome(base), *_folder(base, labels / 'manual_train')],
            test=list(_folder(base, labels / 'manual_test')),
        )
        prefix = 'panoptic'
    elif set_name == 'synthetic':
        hands = {hand[0]: hand for part in parts for hand in _folder(base, base / 'hand_labels_synth' / part)}
        splits = {name: [hands[key] for key in keys] for name, keys in split_8_1_1(hands, seed).items()}
        prefix = 'synth'
    else:
        raise ValueError(f"set_name: expected 'mmpose' or 'synthetic', got {set_name!r}")

    recorder, lines = CocoRecorder(base), []
    for name, hands in splits.items():
        progress = tqdm(hands, desc=name, unit='image')
        found = [recorder.record(image, keypoints, **extra) for image, keypoints, extra in progress]
        records = [record for record in found if record is not None]
        path = base / 'annotations' / f'{prefix}_{name}.json'
        write_coco(path, records, f'CMU Panoptic hands, {set_name} set, {name}')
        lines.append(f'{path}: {len(records)} hands')
    account = '\n'.join([*lines, recorder.report()])
    print(account)
    return account


def _folder(root: Path, folder: Path) -> Iterator[Hand]:
    """The hands of a folder of images with a JSON beside each; an image without one has no labelled keypoint."""
    stems = sorted({path.stem for path in folder.glob('*') if path.suffix in ('.jpg', '.json')})
    if not stems:
        raise FileNotFoundError(f'{folder}: a folder with *.jpg and *.json files is required; unpack its archive here')
    for stem in stems:
        file = folder / f'{stem}.json'
        data = _load(file) if file.exists() else dict(hand_pts=np.zeros((21, 3)))
        extra = dict(dataset=folder.name, head_size=float(data.get('head_size') or 0))
        if 'is_left' in data:
            extra['handedness'] = 'left' if data['is_left'] else 'right'
        yield (folder / f'{stem}.jpg').relative_to(root).as_posix(), _keypoints(data, 'hand_pts', str(file)), extra


def _dome(root: Path) -> Iterator[Hand]:
    """The hands of the Panoptic dome."""
    file = root / 'hand143_panopticdb' / 'hands_v143_14817.json'
    entries = _load(file).get('root')
    if not isinstance(entries, list):
        raise ValueError(f"{file}: expected an object with the list 'root'")
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get('img_paths'), str):
            raise ValueError(f"{file}: root[{i}]: expected an object with the string 'img_paths'")
        extra = dict(dataset='hand143_panopticdb', head_size=float(entry.get('head_size') or 0))
        image = (file.parent / entry['img_paths']).relative_to(root).as_posix()
        yield image, _keypoints(entry, 'joint_self', f'{file}: root[{i}]'), extra


def _load(file: Path) -> dict:
    if not file.is_file():
        raise FileNotFoundError(f'{file}: no such file; was its archive unpacked here?')
    try:
        data = json.loads(file.read_bytes())
    except ValueError as e:
        raise ValueError(f'{file}: expected JSON, which does not parse: {e}') from None
    if not isinstance(data, dict):
        raise ValueError(f'{file}: expected a JSON object, got a {type(data).__name__}')
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help='folder that the archives were unpacked in')
    parser.add_argument('--set', dest='set_name', choices=('mmpose', 'synthetic'), default='mmpose')
    parser.add_argument('--parts', nargs='+', default=PAPER_PARTS, help='folders of hand_labels_synth to take')
    parser.add_argument('--seed', type=int, default=0, help='of the 8:1:1 split')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
