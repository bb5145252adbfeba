"""Splits, and files that are written image by image."""

import json
from pathlib import Path

import pytest

from handkp_plugins.fileio.coco import coco_file, split_8_1_1, spread_evenly, write_coco
from handkp_plugins.structures.skeleton import JOINT_ORDERS, KEYPOINT_NAMES


def test_split_is_8_1_1_complete_and_blind_to_the_order_of_its_input() -> None:
    names = [f'{i:04d}.jpg' for i in range(899)]
    split = split_8_1_1(names)
    assert {k: len(v) for k, v in split.items()} == dict(train=719, val=90, test=90)
    assert sorted(sum(split.values(), [])) == names
    assert split_8_1_1(reversed(names)) == split
    assert split_8_1_1(names, seed=1) != split
    assert {k: len(v) for k, v in split_8_1_1(names[:3]).items()} == dict(train=1, val=1, test=1)


def test_split_of_a_set_that_exists_stays() -> None:
    split = split_8_1_1([f'{i:02d}' for i in range(15)], seed=7)
    assert (split['val'], split['test']) == (['03', '10'], ['06', '08'])


def test_split_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match='expected 3 or more images, got 2'):
        split_8_1_1('ab')


def test_items_at_even_distances() -> None:
    assert spread_evenly('abcdefg', 3) == ['a', 'd', 'g'] and spread_evenly('ab', 2) == ['a', 'b']
    with pytest.raises(ValueError, match='expected an integer from 1 to 2, got 3'):
        spread_evenly('ab', 3)


def test_nothing_to_write_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='a.json: expected one or more hands'):
        write_coco(tmp_path / 'a.json', [], '')
    assert not list(tmp_path.iterdir())


def test_images_with_several_hands_or_none(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'a.json'
    with coco_file(path, dict(seed=3), dict(videos=[1]), order='rhd') as add:
        add(dict(id=1), [dict(id=1, image_id=1), dict(id=2, image_id=1)])
        assert not path.exists()
        add(dict(id=2), [])
        add(dict(id=3), [dict(id=3, image_id=3)])
    content = json.loads(path.read_text())
    assert [image['id'] for image in content['images']] == [1, 2, 3] and content['videos'] == [1]
    assert [(a['id'], a['image_id']) for a in content['annotations']] == [(1, 1), (2, 1), (3, 3)]
    (category,) = content['categories']
    assert [category['keypoints'][i] for i in JOINT_ORDERS['rhd']] == KEYPOINT_NAMES
    assert [p.name for p in path.parent.iterdir()] == ['a.json']
