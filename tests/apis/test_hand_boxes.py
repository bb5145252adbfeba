import json
from pathlib import Path

import numpy as np
import pytest

from handkp_plugins.apis.hand_boxes import make_hand_finder, read_hands


def write(path: Path, names: list[str], annotations: list[dict]) -> Path:
    images = [dict(id=i, file_name=name) for i, name in enumerate(names)]
    path.write_text(json.dumps(dict(images=images, annotations=[dict(a, id=i) for i, a in enumerate(annotations)])))
    return path


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    """Two folders with an x.jpg each, and a picture without a hand of its own."""
    boxes = [
        dict(image_id=0, bbox=[1, 2, 3, 4]),
        dict(image_id=1, bbox=[5, 6, 7, 8]),
        dict(image_id=0, bbox=[0, 0, 2, 2]),
    ]
    crowd = dict(image_id=2, bbox=[0, 0, 9, 9], iscrowd=1)
    return write(tmp_path / 'ann.json', ['a/x.jpg', 'b/x.jpg', 'crowd.jpg', 'c/y.jpg'], [*boxes, crowd])


def boxes(ann: Path, path: str) -> list[list[float]]:
    return [hand.box.tolist() for hand in make_hand_finder(None, False, ann)(Path(path), 20, 20)]


def test_hands_are_found_by_the_end_of_the_path(ann: Path):
    assert boxes(ann, '/data/a/x.jpg') == [[1, 2, 4, 6], [0, 0, 2, 2]]
    assert boxes(ann, 'b/x.jpg') == [[5, 6, 12, 14]]
    for path, message in (
        ('other/x.jpg', r"ann.json has several images of this name: \['a/x.jpg', 'b/x.jpg'\]"),
        ('crowd.jpg', 'ann.json has no box for this image'),
        ('rowd.jpg', 'ann.json has no image of this name'),
    ):
        with pytest.raises(ValueError, match=message):
            boxes(ann, path)


def test_a_copied_picture_is_found_by_its_name(tmp_path: Path):
    ann = write(tmp_path / 'ann.json', ['images/x.jpg'], [dict(image_id=0, bbox=[1, 2, 3, 4])])
    assert boxes(ann, 'photos/x.jpg') == [[1, 2, 4, 6]]


def test_boxes_and_whole_images():
    find = make_hand_finder([[1, 2, 3, 4], [0, 0, 9, 9]], False, None)
    assert [hand.box.tolist() for hand in find(Path('a.jpg'), 20, 20)] == [[1, 2, 4, 6], [0, 0, 9, 9]]
    with pytest.raises(ValueError, match='expected boxes that touch the image of 1x1 px'):
        find(Path('a.jpg'), 1, 1)
    (hand,) = make_hand_finder(None, True, None)(Path('a.jpg'), 30, 20)
    assert hand.box.tolist() == [0, 0, 30, 20]
    assert hand.keypoints is None


def test_keypoints_where_asked_for(mini_coco: Path):
    first = json.loads(mini_coco.read_text())['annotations'][0]
    (hand,) = read_hands(mini_coco, with_keypoints=True)['images/0000.jpg']
    np.testing.assert_allclose(hand.keypoints.ravel(), first['keypoints'])
    assert read_hands(mini_coco)['images/0000.jpg'][0].keypoints is None


@pytest.mark.parametrize('box', [[1, 2, 3], [1, 2, 0, 4], [1, 2, 3, float('nan')]])
def test_a_box_that_is_none(box: list[float]):
    with pytest.raises(ValueError, match='--bbox: expected X Y W H with W and H above 0, got'):
        make_hand_finder([[1, 2, 3, 4], box], False, None)


@pytest.mark.parametrize('given', [(None, False, None), ([[0, 0, 5, 5]], True, None), (None, True, 'a.json')])
def test_the_box_is_given_in_exactly_one_way(given: tuple):
    with pytest.raises(ValueError, match='one of --bbox X Y W H, or --ann FILE .* or --whole-image, got (none|2)'):
        make_hand_finder(*given)


@pytest.mark.parametrize(
    'names, annotation, message',
    [
        (['a.jpg'], dict(image_id=0, bbox=[1, 2, 3]), r'ann.json: annotation 0: bbox: expected 4 numbers .*got 3: '),
        (['a.jpg'], dict(image_id=0), 'ann.json: annotation at index 0.*got none of bbox'),
        (['a.jpg'], dict(image_id=7, bbox=[1, 2, 3, 4]), 'ann.json: annotation 0: image_id: .*got 7'),
        (['a.jpg', 'a.jpg'], dict(image_id=0, bbox=[1, 2, 3, 4]), 'ann.json: file_name: .* got 1 for 2'),
    ],
)  # fmt: skip
def test_bad_coco(tmp_path: Path, names: list[str], annotation: dict, message: str):
    with pytest.raises(ValueError, match=message):
        make_hand_finder(None, False, write(tmp_path / 'ann.json', names, [annotation]))


def test_no_json(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='ann.json'):
        make_hand_finder(None, False, tmp_path / 'ann.json')
    (tmp_path / 'ann.json').write_text('{')
    with pytest.raises(ValueError, match='ann.json: .*does not parse'):
        make_hand_finder(None, False, tmp_path / 'ann.json')
