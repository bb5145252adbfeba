"""Convert photographs that a teacher network labelled, with a grade for each hand, to COCO keypoints and COCO boxes.

Usage:
    python tools/dataset_converters/real_hands.py POOL --out data/real_hands
    python tools/dataset_converters/real_hands.py POOL --out data/real_hands --val office stairs --test pinches

Input: a folder of the images and a labels.json for each source, so that people and rooms of one folder are in one split
    POOL/office/labels.json      COCO; annotations with teacher_keypoints (21 × x, y, v) and teacher_grade (A to D)
    POOL/office/office_0000.jpg
    POOL/negatives/manifest.json a list with file_name, width, height and group: images without a hand

Output:
    data/real_hands/images                            a link to POOL
    data/real_hands/annotations/keypoints_SPLIT.json  hands of the grades --grades (default A B)
    data/real_hands/annotations/boxes_SPLIT.json      all hands; images without a hand, too
    data/real_hands/annotations/negatives_SPLIT.json  images without a hand alone, to repeat them in a training

SPLIT is val for the folders --val, test for --test, else train. Boxes are those of the keypoints, enlarged by
--box-factor and cut at the image's border. Of the images without a hand, those whose name has a --val or --test folder
in it, and every third of each other group, are kept for val. An image in which the teacher found no hand is left out of
both files: it may show one. Labels of a teacher measure agreement with that teacher, not accuracy.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.datasets.checks.keypoint_files import numbers_of, read_json, records_of
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_NAMES

GRADES = ('A', 'B', 'C', 'D')
NEGATIVES = 'negatives'
SPLITS = ('train', 'val', 'test')
_THUMB, _FINGER = ('cmc', 'mcp', 'ip', 'tip'), ('mcp', 'pip', 'dip', 'tip')
_NAMES = ['wrist', *(f'thumb_{part}' for part in _THUMB)]
_NAMES += [f'{finger}_{part}' for finger in ('index', 'middle', 'ring', 'little') for part in _FINGER]


def main(
    pool: str | Path,
    out: str | Path,
    val: Sequence[str] = ('hagrid_readme', 'isl_bala', 'rps_laya'),
    test: Sequence[str] = ('ti1k',),
    grades: Sequence[str] = ('A', 'B'),
    box_factor: float = 1.15,
) -> str:
    """Convert; see the module's docstring. Returns the account that is printed.

    Raises:
        FileNotFoundError: a folder, or its labels, are missing.
        ValueError: labels are not of the form above, or a split or grade is unknown.
    """
    pool, out = Path(pool), Path(out)
    folders = sorted(path.parent.name for path in pool.glob('*/labels.json'))
    if not folders:
        raise FileNotFoundError(f'{pool}: expected folders with a labels.json, got none')
    for option, given in (('--val', val), ('--test', test)):
        if unknown := sorted(set(given) - set(folders)):
            raise ValueError(f'{option}: expected folders of {folders}, got {unknown}')
    if not grades or set(grades) - set(GRADES):
        raise ValueError(f'--grades: expected some of {GRADES}, got {tuple(grades)}')
    if not box_factor >= 1:
        raise ValueError(f'--box-factor: expected a number from 1 on, got {box_factor}')
    keypoints: dict[str, list] = {split: [] for split in SPLITS}
    boxes: dict[str, list] = {split: [] for split in SPLITS}
    negatives: dict[str, list] = {split: [] for split in SPLITS}
    lines = []
    for folder in folders:
        split = 'val' if folder in val else 'test' if folder in test else 'train'
        hands = read_folder(pool / folder, box_factor)
        boxes[split] += hands
        keypoints[split] += [(image, chosen) for image, found in hands
                             if (chosen := [hand for hand in found if hand['grade'] in grades])]  # fmt: skip
        counts = Counter(hand['grade'] for _, found in hands for hand in found)
        told = ', '.join(f'{counts[grade]} {grade}' for grade in GRADES)
        lines.append(f'{folder} ({split}): {len(hands)} images with {sum(counts.values())} hands ({told})')
    if (manifest := pool / NEGATIVES / 'manifest.json').is_file():
        held_out = set(val) | set(test)
        for split, images in read_negatives(manifest, held_out).items():
            negatives[split] = [(image, []) for image in images]
            boxes[split] += negatives[split]
            lines.append(f'{NEGATIVES} ({split}): {len(images)} images')
    for kind, parts in (('keypoints', keypoints), ('boxes', boxes), ('negatives', negatives)):
        for split, records in parts.items():
            if records:
                path = out / 'annotations' / f'{kind}_{split}.json'
                num_hands = write(path, records)
                lines.append(f'{path}: {len(records)} images, {num_hands} hands')
    link = out / 'images'
    if not link.exists():
        link.symlink_to(pool.resolve(), target_is_directory=True)
    print('\n'.join(lines))
    return '\n'.join(lines)


def read_folder(folder: Path, box_factor: float) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each image in which the teacher found a hand, with its hands; neither has ids yet."""
    path = str(folder / 'labels.json')
    document = read_json(path)
    images = records_of(path, document, 'images', 'image', ('id', 'file_name', 'width', 'height'))
    keys = ('id', 'image_id', 'teacher_keypoints', 'teacher_grade')
    annotations = records_of(path, document, 'annotations', 'annotation', keys)
    points = numbers_of(path, annotations, 'teacher_keypoints', 63, 'x, y, visibility of each keypoint')
    names = document['categories'][0].get('keypoints') if document.get('categories') else None
    if names not in (_NAMES, KEYPOINT_NAMES):
        raise ValueError(f'{path}: categories[0].keypoints: expected {_NAMES}, got {names}')
    found: dict[Any, list[dict[str, Any]]] = {image['id']: [] for image in images}
    sizes = {image['id']: np.array([image['width'], image['height']], float) for image in images}
    for annotation, hand in zip(annotations, points.reshape(-1, 21, 3), strict=True):
        where = f'{path}: annotation {annotation["id"]}'
        if annotation['image_id'] not in found:
            raise ValueError(f'{where}: image_id: expected the id of an image, got {annotation["image_id"]!r}')
        if annotation['teacher_grade'] not in GRADES:
            raise ValueError(f'{where}: teacher_grade: expected one of {GRADES}, got {annotation["teacher_grade"]!r}')
        size = sizes[annotation['image_id']]
        x1, y1, x2, y2 = np.clip(keypoint_box(hand[:, :2], box_factor), 0, np.tile(size, 2)).round(2).tolist()
        if not (x2 > x1 and y2 > y1):
            raise ValueError(f'{where}: teacher_keypoints: expected some inside the image, got all outside')
        found[annotation['image_id']].append(
            dict(
                category_id=1,
                iscrowd=0,
                bbox=[x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
                area=round((x2 - x1) * (y2 - y1), 1),
                keypoints=hand.reshape(-1).tolist(),
                num_keypoints=int((hand[:, 2] > 0).sum()),
                grade=annotation['teacher_grade'],
                **{key: annotation[key] for key in ('human_thumb_tip', 'human_index_tip') if key in annotation},
            )
        )
    named = {image['id']: _image(folder.name, image) for image in images}
    return [(named[key], hands) for key, hands in found.items() if hands]


def read_negatives(manifest: Path, held_out: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The images without a hand of ``train`` and ``val``."""
    split: dict[str, list[dict[str, Any]]] = dict(train=[], val=[])
    seen: Counter[str] = Counter()
    images = read_json(str(manifest), 'a list of images')
    for image in sorted(images, key=lambda image: image['file_name']):
        own = any(folder in image['file_name'] for folder in held_out)
        seen[image['group']] += not own
        split['val' if own or seen[image['group']] % 3 == 0 else 'train'].append(_image(NEGATIVES, image))
    return split


def _image(folder: str, image: dict[str, Any]) -> dict[str, Any]:
    return dict(file_name=f'{folder}/{image["file_name"]}', width=image['width'], height=image['height'])


def write(path: Path, records: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]]) -> int:
    """Write images and their hands with ids from 1 on; returns the number of hands."""
    images = [dict(image, id=i) for i, (image, _) in enumerate(records, 1)]
    hands = [dict(hand, image_id=i) for i, (_, found) in enumerate(records, 1) for hand in found]
    category = dict(
        id=1, name='hand', supercategory='hand', keypoints=KEYPOINT_NAMES, skeleton=[[a + 1, b + 1] for a, b in BONES]
    )
    annotations = [dict(hand, id=i) for i, hand in enumerate(hands, 1)]
    info = dict(description='photographs labelled by a teacher network')
    write_text(path, json.dumps(dict(info=info, images=images, annotations=annotations, categories=[category])))
    return len(hands)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pool', help='the folder of folders')
    parser.add_argument('--out', required=True, metavar='DIR')
    parser.add_argument('--val', nargs='*', default=('hagrid_readme', 'isl_bala', 'rps_laya'), metavar='FOLDER')
    parser.add_argument('--test', nargs='*', default=('ti1k',), metavar='FOLDER')
    parser.add_argument(
        '--grades', nargs='+', choices=GRADES, default=('A', 'B'), help='of the keypoints (default A B)'
    )
    parser.add_argument('--box-factor', type=float, default=1.15, help='(default 1.15)')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
