"""Convert photographs that a teacher network labelled, with a grade for each hand, to COCO keypoints and COCO boxes.

Usage:
    python tools/dataset_converters/real_hands.py POOL --out data/real_hands
    python tools/dataset_converters/real_hands.py POOL --out data/real_hands --val office stairs --test pinches

Input: a folder for each source; the people and rooms of a folder are in one split
    POOL/office/labels.json      COCO; annotations with teacher_keypoints (21 × x, y, v) and teacher_grade (A to D)
    POOL/office/office_0000.jpg
    POOL/negatives/manifest.json a list with file_name, width, height and group: images without a hand

Output:
    data/real_hands/images                            a link to POOL
    data/real_hands/annotations/keypoints_SPLIT.json  hands with the grades --grades (default A B)
    data/real_hands/annotations/boxes_SPLIT.json      all hands, and the images without a hand
    data/real_hands/annotations/negatives_SPLIT.json  only the images without a hand, to repeat them in a training

SPLIT is val for the folders --val, test for --test, else train. Boxes are those of the keypoints, enlarged by
--box-factor and cut at the image's border. Of the images without a hand, those with a --val or --test folder in their
name and every third of each other group are val. Images in which the teacher found no hand are in neither file: they
may show one. Labels of a teacher measure agreement with that teacher, not accuracy.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conversion import make_parser, run

from handkp_plugins.fileio.coco import SPLITS, coco_file
from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.boxes import clip_boxes, keypoint_box
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

GRADES = ('A', 'B', 'C', 'D')
NEGATIVES = 'negatives'
_THUMB, _FINGER = ('cmc', 'mcp', 'ip', 'tip'), ('mcp', 'pip', 'dip', 'tip')
_NAMES = ['wrist', *(f'thumb_{part}' for part in _THUMB)]
_NAMES += [f'{finger}_{part}' for finger in ('index', 'middle', 'ring', 'little') for part in _FINGER]
_DEFAULTS = dict(val=('hagrid_readme', 'isl_bala', 'rps_laya'), test=('ti1k',), grades=('A', 'B'), box_factor=1.15)
Hands = tuple[dict[str, Any], list[dict[str, Any]]]
"""An image and the annotations of its hands, all without ids."""


def main(
    root: str | Path,
    out: str | Path,
    val: Sequence[str] = _DEFAULTS['val'],
    test: Sequence[str] = _DEFAULTS['test'],
    grades: Sequence[str] = _DEFAULTS['grades'],
    box_factor: float = _DEFAULTS['box_factor'],
) -> str:
    """Convert the photographs, and return the printed account.

    Raises:
        FileNotFoundError: There is no folder with labels.
        ValueError: Labels are malformed, or a folder, grade or factor is none of the allowed ones.
    """
    root, out = Path(root), Path(out)
    folders = sorted(path.parent.name for path in root.glob('*/labels.json'))
    if not folders:
        raise FileNotFoundError(f'{root}: expected folders with a labels.json, got none')
    for option, names in (('--val', val), ('--test', test)):
        if unknown := sorted(set(names) - set(folders)):
            raise ValueError(f'{option}: expected folders of {folders}, got {unknown}')
    if not grades or set(grades) - set(GRADES):
        raise ValueError(f'--grades: expected some of {GRADES}, got {tuple(grades)}')
    if not box_factor >= 1:
        raise ValueError(f'--box-factor: expected a number from 1 on, got {box_factor}')
    kinds = ('keypoints', 'boxes', 'negatives')
    files: dict[str, list[Hands]] = {f'{kind}_{split}': [] for kind in kinds for split in SPLITS}
    lines = []
    for folder in folders:
        split = 'val' if folder in val else 'test' if folder in test else 'train'
        images = read_folder(root / folder, box_factor)
        files[f'boxes_{split}'] += images
        for image, hands in images:
            if good := [hand for hand in hands if hand['grade'] in grades]:
                files[f'keypoints_{split}'].append((image, good))
        counts = Counter(hand['grade'] for _, hands in images for hand in hands)
        by_grade = ', '.join(f'{counts[grade]} {grade}' for grade in GRADES)
        lines.append(f'{folder} ({split}): {len(images)} images with {sum(counts.values())} hands ({by_grade})')
    if (manifest := root / NEGATIVES / 'manifest.json').is_file():
        for split, negatives in read_negatives(manifest, {*val, *test}).items():
            for kind in ('boxes', 'negatives'):
                files[f'{kind}_{split}'] += [(image, []) for image in negatives]
            lines.append(f'{NEGATIVES} ({split}): {len(negatives)} images')
    for name, records in files.items():
        if records:
            path = out / 'annotations' / f'{name}.json'
            lines.append(f'{path}: {len(records)} images, {write(path, records)} hands')
    link = out / 'images'
    if not link.exists():
        link.symlink_to(root.resolve(), target_is_directory=True)
    print('\n'.join(lines))
    return '\n'.join(lines)


def read_folder(folder: Path, box_factor: float) -> list[Hands]:
    """Read the images of a folder in which the teacher found a hand."""
    keys = ('id', 'image_id', 'teacher_keypoints', 'teacher_grade')
    file = CocoFile(folder / 'labels.json', ('id', 'file_name', 'width', 'height'), keys)
    names = file.data['categories'][0].get('keypoints') if file.data.get('categories') else None
    if names not in (_NAMES, KEYPOINT_NAMES):
        raise ValueError(f'{file.path}: categories[0].keypoints: expected {_NAMES}, got {names}')
    found: dict[Any, list[dict[str, Any]]] = {image['id']: [] for image in file.images}
    points = file.keypoints(key='teacher_keypoints')
    for annotation, hand, size in zip(file.annotations, points, file.image_sizes(), strict=True):
        if annotation['teacher_grade'] not in GRADES:
            raise file.error(annotation, f'teacher_grade: expected one of {GRADES}', repr(annotation['teacher_grade']))
        x1, y1, x2, y2 = clip_boxes(keypoint_box(hand[:, :2], box_factor), size).round(2).tolist()
        if not (x2 > x1 and y2 > y1):
            raise file.error(annotation, 'teacher_keypoints: expected some inside the image', 'all outside')
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
    return [(_image(folder.name, image), found[image['id']]) for image in file.images if found[image['id']]]


def read_negatives(manifest: Path, held_out: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Split the images without a hand into train and val.

    Args:
        manifest: The list of images.
        held_out: Folders of the val and test splits.
    """
    images = read_json(manifest, 'a list of images')
    keys = {'file_name', 'width', 'height', 'group'}
    if not isinstance(images, list) or not all(isinstance(image, dict) and keys <= set(image) for image in images):
        raise ValueError(f'{manifest}: expected a list of objects with {", ".join(sorted(keys))}, got others')
    split: dict[str, list[dict[str, Any]]] = dict(train=[], val=[])
    seen: Counter[str] = Counter()
    for image in sorted(images, key=lambda image: image['file_name']):
        is_held_out = any(folder in image['file_name'] for folder in held_out)
        seen[image['group']] += not is_held_out
        is_val = is_held_out or seen[image['group']] % 3 == 0
        split['val' if is_val else 'train'].append(_image(NEGATIVES, image))
    return split


def _image(folder: str, image: dict[str, Any]) -> dict[str, Any]:
    return dict(file_name=f'{folder}/{image["file_name"]}', width=image['width'], height=image['height'])


def write(path: Path, records: Sequence[Hands]) -> int:
    """Write images and hands with ids from 1 on, and return the number of hands."""
    num_hands = 0
    with coco_file(path, dict(description='photographs labelled by a teacher network')) as add:
        for i, (image, hands) in enumerate(records, 1):
            add(dict(image, id=i), [dict(hand, id=num_hands + k, image_id=i) for k, hand in enumerate(hands, 1)])
            num_hands += len(hands)
    return num_hands


if __name__ == '__main__':
    parser = make_parser(__doc__, 'the folder of folders, POOL')
    parser.add_argument('--out', required=True, metavar='DIR')
    parser.add_argument('--val', nargs='*', metavar='FOLDER', help='validation folders (default %(default)s)')
    parser.add_argument('--test', nargs='*', metavar='FOLDER', help='test folders (default %(default)s)')
    parser.add_argument('--grades', nargs='+', choices=GRADES, help='grades of the keypoints (default %(default)s)')
    parser.add_argument('--box-factor', type=float, help='(default %(default)s)')
    parser.set_defaults(**_DEFAULTS)
    run(main, parser)
