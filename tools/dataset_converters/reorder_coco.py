"""Reorder the keypoints of a COCO file to this package's order, by the names in the file.

Usage:
    python tools/dataset_converters/reorder_coco.py labels.json --out data/my_hands/annotations
    python tools/dataset_converters/reorder_coco.py labels.json --out data/my_hands/annotations/train.json

Input: a COCO file of hands with 21 keypoints in any order, whose ``categories[].keypoints`` names them.

Output: with ``--out FOLDER`` the files train.json, val.json and test.json, split 8:1:1 by image; with ``--out
FILE.json`` one file. They hold the images and hands of the input, with the keypoints in the order of
``KEYPOINT_NAMES``. Image files stay where they are.

Common spellings of the names are known: ``wrist``, ``thumb_cmc`` or ``thumb1``, ``index_mcp``, ``INDEX_FINGER_MCP`` or
``forefinger1``, ``pinky_tip`` or ``little_finger4``, each with ``left`` or ``right`` before it. For other names write a
JSON file ``{"their name": "our name"}`` and pass it as ``--names``; null leaves a keypoint out. A file is refused if
one of the 21 keypoints is missing or one of its own is not understood; the message lists all of them.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file
from handkp_plugins.fileio.coco import coco_file, split_8_1_1
from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES, NUM_KEYPOINTS

FINGERS = dict(
    thumb='thumb', index='forefinger', forefinger='forefinger', middle='middle_finger', ring='ring_finger',
    pinky='pinky_finger', pinkie='pinky_finger', little='pinky_finger',
)  # fmt: skip
JOINTS = dict(mcp=1, pip=2, dip=3, tip=4)
THUMB_JOINTS = dict(cmc=1, mcp=2, ip=3, tip=4)
_NAME = re.compile(
    rf'(?:left|right|l|r)?(?:hand)?(?:(?P<wrist>wrist|root)|(?P<finger>{"|".join(FINGERS)})(?:finger)?'
    r'(?P<joint>cmc|mcp|pip|dip|ip|tip|[1-4]))(?:left|right|l|r)?'
)


def main(ann_file: str | Path, out: str | Path, names: str | Path | None = None, seed: int = 0) -> str:
    """Reorder the keypoints of a COCO file, and return the printed account.

    Args:
        ann_file: The COCO file.
        out: A ``.json`` file, or a folder for train.json, val.json and test.json.
        names: JSON file with our name for each unknown name.
        seed: Seed of the split.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A name is not understood, a keypoint is missing, or a record is broken; the message names the file.
    """
    path, out = str(ann_file), Path(out)
    source = CocoFile(path, ('id', 'file_name', 'width', 'height'), ('id', 'image_id', 'category_id'))
    table = read_json(names, 'a table of names') if names else {}
    hands: list[dict[str, Any]] = []
    for i, category in enumerate(source.records('categories', ('id', 'name'))):
        if theirs := category.get('keypoints'):
            order = find_order(theirs, table, f'{path}: categories[{i}].keypoints')
            found = [annotation for annotation in source.annotations if annotation['category_id'] == category['id']]
            points = source.keypoints(len(theirs), annotations=found)
            for annotation, hand in zip(found, points[:, order], strict=True):
                hands.append(dict(annotation, category_id=1, keypoints=hand.reshape(-1).tolist()))
    if not hands:
        raise ValueError(f'{path}: expected hands of a category with the names of its keypoints, got none')
    by_image: dict[Any, list[dict[str, Any]]] = {}
    for hand in hands:
        by_image.setdefault(hand['image_id'], []).append(hand)
    images = [image for image in source.images if image['id'] in by_image]
    others = {key: v for key, v in source.data.items() if key not in ('info', 'images', 'annotations', 'categories')}
    lines = [f'{path}: {len(source.annotations)} annotations found, {len(hands)} hands converted']
    for file, chosen in _files(out, images, seed).items():
        with coco_file(file, source.data.get('info', {}), others) as add:
            for image in chosen:
                add(image, by_image[image['id']])
        lines.append(f'{file}: {len(chosen)} images, {check_keypoint_file(str(file))} hands to use')
    print('\n'.join(lines))
    return '\n'.join(lines)


def find_order(theirs: Sequence[str], table: Mapping[str, str | None], where: str) -> list[int]:
    """Return the index of each of our keypoints in a file's order.

    Args:
        theirs: Names of the file's keypoints.
        table: Their name → ours, or None to leave it out, for names that are not known.
        where: File and field, for messages.

    Raises:
        ValueError: A keypoint is missing, named twice or not understood; the message lists all of them.
    """
    ours = [table[name] if name in table else parse_name(name, theirs) for name in theirs]
    missing = [name for name in KEYPOINT_NAMES if ours.count(name) != 1]
    left_out = [name in table and table[name] is None for name in theirs]
    unclear = [
        name
        for name, own, out in zip(theirs, ours, left_out, strict=True)
        if not out and (own not in KEYPOINT_NAMES or own in missing)
    ]
    if missing or unclear:
        raise ValueError(
            f'{where}: expected one name for each of the {NUM_KEYPOINTS} keypoints, got none or several for '
            f'{", ".join(missing) or "no keypoint"}; names not understood or used twice: '
            f'{", ".join(unclear) or "none"} (--names FILE says which is which)'
        )
    return [ours.index(name) for name in KEYPOINT_NAMES]


def parse_name(name: str, names: Sequence[str]) -> str | None:
    """Return our name for a common spelling of a keypoint, or None if it is unknown.

    Args:
        name: The spelling.
        names: All names of the file. If a thumb has a PIP joint, as a finger does, its MCP joint is the first.
    """
    match = _NAME.fullmatch(re.sub(r'[^a-z0-9]', '', str(name).lower()))
    if not match:
        return None
    if match['wrist']:
        return 'wrist'
    finger, joint = FINGERS[match['finger']], match['joint']
    like_finger = finger != 'thumb' or any(re.search('thumb.*pip', str(n).lower()) for n in names)
    number = joint if joint.isdecimal() else (JOINTS if like_finger else THUMB_JOINTS).get(joint)
    return number and f'{finger}{number}'


def _files(out: Path, images: list[dict[str, Any]], seed: int) -> dict[Path, list[dict[str, Any]]]:
    """Return the files to write, and the images of each."""
    if out.suffix == '.json':
        return {out: images}
    split = split_8_1_1([image['id'] for image in images], seed)
    return {out / f'{part}.json': [i for i in images if i['id'] in set(ids)] for part, ids in split.items()}


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ann_file', metavar='FILE', help='the COCO file')
    parser.add_argument('--out', required=True, metavar='FOLDER|FILE.json', help='where to write')
    parser.add_argument('--names', metavar='FILE', help='JSON: their name → our name, or null')
    parser.add_argument('--seed', type=int, default=0, help='seed of the 8:1:1 split')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
