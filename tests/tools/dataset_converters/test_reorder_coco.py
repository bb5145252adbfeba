import json
from pathlib import Path

import numpy as np
import pytest
from helpers.mini_coco import write_mini_coco
from helpers.tool_module import load_tool

from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

reorder_coco = load_tool('dataset_converters/reorder_coco')
FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')


def joints(thumb: tuple[str, ...], finger: tuple[str, ...]) -> list[tuple[str, str]]:
    """Finger and joint of each keypoint but the wrist, in our order."""
    return [(f, joint) for f in FINGERS for joint in (thumb if f == 'thumb' else finger)]


FINGER = ('mcp', 'pip', 'dip', 'tip')
ANATOMICAL = joints(('cmc', 'mcp', 'ip', 'tip'), FINGER)
SPELLINGS = {
    'ours': KEYPOINT_NAMES,
    'mediapipe': ['WRIST', *(f'{f}{"_FINGER" * (f in FINGERS[1:4])}_{j}'.upper() for f, j in ANATOMICAL)],
    'whole body': ['left_hand_root', *(f'left_{n}' for n in KEYPOINT_NAMES[1:])],
    'numbers and camel case': [
        'RightHandWrist', *(f'RightHand{f.title()}{j}' for f, j in joints(tuple('1234'), tuple('1234')))],
    'thumb like a finger': ['wrist', *(f'{f}-{j}' for f, j in joints(FINGER, FINGER))],
    'sides at the end': ['wrist.R', *(f'{f.replace("pinky", "little")} {j} r' for f, j in ANATOMICAL)],
}  # fmt: skip


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_common_spellings_in_any_order(spelling: str):
    order = np.random.default_rng(0).permutation(21)
    theirs = [SPELLINGS[spelling][i] for i in order]
    assert reorder_coco.find_order(theirs, {}, 'x') == np.argsort(order).tolist()


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Three images; one hand of each, our order reversed."""
    path = write_mini_coco(tmp_path, num_images=3)
    change(path, lambda data: data['categories'][0].update(keypoints=KEYPOINT_NAMES[::-1]))
    return path


def change(path: Path, how) -> None:
    data = json.loads(path.read_text())
    how(data)
    path.write_text(json.dumps(data))


def keypoints(path: Path) -> list[list[float]]:
    return [annotation['keypoints'] for annotation in json.loads(path.read_text())['annotations']]


def test_one_file(labels: Path, tmp_path: Path):
    before = np.reshape(keypoints(labels), (3, 21, 3))
    account = reorder_coco.main(labels, tmp_path / 'new.json')
    assert account.endswith('new.json: 3 images, 3 hands to use')
    np.testing.assert_array_equal(np.reshape(keypoints(tmp_path / 'new.json'), (3, 21, 3)), before[:, ::-1])
    data = json.loads((tmp_path / 'new.json').read_text())
    assert data['categories'][0]['keypoints'] == KEYPOINT_NAMES


def test_each_category_by_its_own_order(labels: Path, tmp_path: Path):
    def second_category(data: dict) -> None:
        data['categories'] += [dict(id=2, name='left', keypoints=KEYPOINT_NAMES), dict(id=3, name='face')]
        data['annotations'][1]['category_id'] = 2
        data['annotations'][2]['category_id'] = 3

    before = np.reshape(keypoints(labels), (3, 21, 3))
    change(labels, second_category)
    assert '3 annotations found, 2 hands converted' in reorder_coco.main(labels, tmp_path / 'new.json')
    after = np.reshape(keypoints(tmp_path / 'new.json'), (2, 21, 3))
    np.testing.assert_array_equal(after, [before[0, ::-1], before[1]])


def test_what_is_missing_and_what_is_not_understood_are_both_listed(labels: Path, tmp_path: Path):
    names = KEYPOINT_NAMES[::-1]
    names[20], names[0], names[1] = 'carpus', 'tip5', 'pinky_finger1'
    change(labels, lambda data: data['categories'][0].update(keypoints=names))
    with pytest.raises(
        ValueError, match=r'ann.json: categories\[0\].keypoints: expected one name for each of the 21'
    ) as e:
        reorder_coco.main(labels, tmp_path / 'new.json')
    missing, unclear = str(e.value).split('; ')
    assert missing.endswith('got none or several for wrist, pinky_finger1, pinky_finger3, pinky_finger4')
    assert unclear.startswith('names not understood or used twice: tip5, pinky_finger1, pinky_finger1, carpus (--names')
    assert not (tmp_path / 'new.json').exists()


def test_names_given_in_a_file(labels: Path, tmp_path: Path):
    names = [*KEYPOINT_NAMES[:0:-1], 'carpus', 'palm']
    change(labels, lambda data: data['categories'][0].update(keypoints=names))
    change(labels, lambda data: [a['keypoints'].extend([1, 1, 1]) for a in data['annotations']])
    before = np.reshape(keypoints(labels), (3, 22, 3))
    (tmp_path / 'names.json').write_text('{"carpus": "wrist", "palm": null}')
    reorder_coco.main(labels, tmp_path / 'new.json', tmp_path / 'names.json')
    np.testing.assert_array_equal(np.reshape(keypoints(tmp_path / 'new.json'), (3, 21, 3)), before[:, 20::-1])


def test_a_file_without_names(labels: Path, tmp_path: Path):
    change(labels, lambda data: data['categories'][0].pop('keypoints'))
    with pytest.raises(ValueError, match='ann.json: expected hands of a category with the names of its keypoints'):
        reorder_coco.main(labels, tmp_path / 'new.json')


def test_a_broken_record_is_named(labels: Path, tmp_path: Path):
    change(labels, lambda data: data['annotations'][1].update(keypoints=[1, 2, 3]))
    with pytest.raises(ValueError, match='ann.json: annotation 1: keypoints: expected 63 numbers'):
        reorder_coco.main(labels, tmp_path / 'new.json')
