"""A pool of photographs with a teacher's labels: splits, grades, images without a hand, bad inputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.converted import blank_image
from helpers.tool_module import load_tool

from handkp_plugins.datasets.checks.box_files import check_box_file
from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

real_hands = load_tool('dataset_converters/real_hands')
POINTS = np.stack([10.0 + np.arange(21), 20 - np.arange(21) / 2, np.full(21, 2)], -1)  # x 10 to 30, y 10 to 20


def add_folder(pool: Path, name: str, grades: list[list[str]], **changes: Any) -> None:
    """Write a folder of images of 64×48 with a hand for each grade; ``changes`` are those of the first annotation."""
    images, annotations = [], []
    for i, own in enumerate(grades):
        blank_image(pool / name / f'{i}.jpg')
        images.append(dict(id=7 + i, file_name=f'{i}.jpg', width=64, height=48))
        annotations += [dict(image_id=7 + i, teacher_keypoints=POINTS.ravel().tolist(), teacher_grade=g) for g in own]
    annotations = [dict(annotation, id=k) for k, annotation in enumerate(annotations)]
    annotations[0] |= changes
    categories = [dict(id=1, name='hand', keypoints=real_hands._NAMES)]
    document = dict(images=images, annotations=annotations, categories=categories)
    (pool / name / 'labels.json').write_text(json.dumps(document))


def add_negatives(pool: Path) -> None:
    """Seven images of walls, and one whose name has that of the folder office."""
    names = [(f'wall_{i}.jpg', 'wall') for i in range(7)] + [('office_desk.jpg', 'wall')]
    images = [dict(file_name=name, width=64, height=48, group=group) for name, group in reversed(names)]
    (pool / 'negatives').mkdir()
    (pool / 'negatives' / 'manifest.json').write_text(json.dumps(images))


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Two folders: the second image of the garden has no hand."""
    add_folder(tmp_path / 'pool', 'garden', [['A', 'C'], [], ['D']], human_thumb_tip=[1, 2])
    add_folder(tmp_path / 'pool', 'office', [['B']])
    return tmp_path / 'pool'


def read(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / 'annotations' / f'{name}.json').read_text())


def names(out: Path, name: str) -> list[str]:
    return [image['file_name'] for image in read(out, name)['images']]


def test_folders_are_split_and_grades_chosen(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    account = real_hands.main(pool, out, val=['office'], test=[])
    assert 'garden (train): 2 images with 3 hands (1 A, 0 B, 1 C, 1 D)' in account
    assert 'office (val): 1 images with 1 hands (0 A, 1 B, 0 C, 0 D)' in account
    files = {'keypoints_train.json': 1, 'keypoints_val.json': 1, 'boxes_train.json': 3, 'boxes_val.json': 1}
    assert {path.name for path in (out / 'annotations').iterdir()} == set(files)
    for name, hands in files.items():
        path = str(out / 'annotations' / name)
        assert check_box_file(path, ('hand',)) == check_keypoint_file(path) == hands
    assert names(out, 'keypoints_train') == ['garden/0.jpg'] and names(out, 'keypoints_val') == ['office/0.jpg']
    assert names(out, 'boxes_train') == ['garden/0.jpg', 'garden/2.jpg']  # in the other the teacher found none
    assert (out / 'images' / 'garden' / '0.jpg').is_file()
    (category,) = read(out, 'keypoints_val')['categories']
    assert category['keypoints'] == KEYPOINT_NAMES
    real_hands.main(pool, tmp_path / 'tested', val=[], test=['office'], grades=['C', 'D'])
    assert names(tmp_path / 'tested', 'boxes_test') == ['office/0.jpg']
    assert names(tmp_path / 'tested', 'keypoints_train') == ['garden/0.jpg', 'garden/2.jpg']
    assert not (tmp_path / 'tested' / 'annotations' / 'keypoints_test.json').exists()


def test_ids_boxes_and_what_is_kept_of_an_annotation(pool: Path, tmp_path: Path) -> None:
    real_hands.main(pool, tmp_path / 'out', val=['office'], test=[], box_factor=1.5)
    content = read(tmp_path / 'out', 'boxes_train')
    assert [image['id'] for image in content['images']] == [1, 2]
    assert [(a['id'], a['image_id'], a['grade']) for a in content['annotations']] == [
        (1, 1, 'A'),
        (2, 1, 'C'),
        (3, 2, 'D'),
    ]
    first = content['annotations'][0]
    assert first['bbox'] == [5, 7.5, 30, 15] and first['area'] == 450 and first['num_keypoints'] == 21
    assert first['keypoints'] == POINTS.ravel().tolist() and first['human_thumb_tip'] == [1, 2]
    assert 'human_thumb_tip' not in content['annotations'][1]


def test_boxes_end_at_the_border(tmp_path: Path) -> None:
    points = POINTS + [40, -15, 0]  # x 50 to 70, y -5 to 5
    add_folder(tmp_path / 'pool', 'garden', [['A']], teacher_keypoints=points.ravel().tolist())
    real_hands.main(tmp_path / 'pool', tmp_path / 'out', val=[], test=[], box_factor=1)
    assert read(tmp_path / 'out', 'boxes_train')['annotations'][0]['bbox'] == [50, 0, 14, 5]


def test_images_without_a_hand_are_split_by_folder_name_and_every_third(pool: Path, tmp_path: Path) -> None:
    add_negatives(pool)
    out = tmp_path / 'out'
    account = real_hands.main(pool, out, val=[], test=['office'])
    assert 'negatives (train): 5 images' in account and 'negatives (val): 3 images' in account
    kept = ['negatives/office_desk.jpg', 'negatives/wall_2.jpg', 'negatives/wall_5.jpg']
    assert names(out, 'boxes_val') == names(out, 'negatives_val') == kept
    assert check_box_file(str(out / 'annotations' / 'negatives_train.json'), ('hand',)) == 0
    walls = [f'negatives/wall_{i}.jpg' for i in (0, 1, 3, 4, 6)]
    assert names(out, 'boxes_train')[2:] == names(out, 'negatives_train') == walls
    assert names(out, 'keypoints_train') == ['garden/0.jpg']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(val=['attic']), r"--val: expected folders of \['garden', 'office'\], got \['attic'\]"),
        (dict(test=['attic']), r"--test: .* got \['attic'\]"),
        (dict(grades=['E']), r"--grades: expected some of .*, got \('E',\)"),
        (dict(grades=[]), r'--grades: .* got \(\)'),
        (dict(box_factor=0.9), '--box-factor: expected a number from 1 on, got 0.9'),
        (dict(box_factor=float('nan')), '--box-factor: .* got nan'),
    ],
)
def test_bad_arguments(pool: Path, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        real_hands.main(pool, tmp_path / 'out', **dict(val=[], test=[]) | options)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(image_id=99), 'annotation 0: image_id: expected the id of an entry in images, got 99'),
        (dict(teacher_grade='E'), "annotation 0: teacher_grade: expected one of .*, got 'E'"),
        (dict(teacher_keypoints=[1, 2]), 'annotation 0: teacher_keypoints: expected 63 numbers'),
        (
            dict(teacher_keypoints=[float('nan')] * 63),
            r'expected finite numbers, got nan \(keypoint 0, x\)',
        ),
        (dict(teacher_keypoints=[-9] * 63), 'teacher_keypoints: expected some inside the image, got all outside'),
    ],
)
def test_bad_annotations(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    add_folder(tmp_path / 'pool', 'garden', [['A']], **changes)
    with pytest.raises(ValueError, match=f'garden/labels.json: .*{message}'):
        real_hands.main(tmp_path / 'pool', tmp_path / 'out', val=[], test=[])


def change_names(document: dict[str, Any]) -> None:
    document['categories'][0]['keypoints'] = ['wrist']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (change_names, r"categories\[0\].keypoints: expected \['wrist', 'thumb_cmc', .*, got \['wrist'\]"),
        (lambda document: document.pop('categories'), 'categories.*keypoints: expected .*, got None'),
        (lambda document: document['images'][0].pop('width'), 'image at index 0, id 7: expected .*, got none of width'),
    ],
)
def test_bad_files(pool: Path, tmp_path: Path, change: Callable[[dict], Any], message: str) -> None:
    path = pool / 'garden' / 'labels.json'
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=f'garden/labels.json: {message}'):
        real_hands.main(pool, tmp_path / 'out', val=[], test=[])


def test_missing_labels_and_a_bad_manifest(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nowhere: expected folders with a labels.json, got none'):
        real_hands.main(tmp_path / 'nowhere', tmp_path / 'out')
    (pool / 'negatives').mkdir()
    (pool / 'negatives' / 'manifest.json').write_text('[{"file_name": "a.jpg"}]')
    with pytest.raises(
        ValueError, match='manifest.json: expected a list of objects with file_name, group, .*, got others'
    ):
        real_hands.main(pool, tmp_path / 'out', val=[], test=[])
