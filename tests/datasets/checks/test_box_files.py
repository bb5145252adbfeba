"""Files of boxes: what MMDetection would drop or stumble over is told, with the file and the record."""

import json
from pathlib import Path

import pytest

from handkp_plugins.datasets.checks import keypoint_files
from handkp_plugins.datasets.checks.box_files import check_box_file


def make_file(**changes: object) -> dict:
    """Three boxes in two pictures; the changes are those of the second box."""
    annotations = [
        dict(id=10 + i, image_id=i // 2, category_id=7, bbox=[4, 5, 20, 30], area=600, iscrowd=0) for i in range(3)
    ]
    annotations[1] |= changes
    return dict(
        images=[dict(id=i, file_name=f'{i}.jpg', width=64, height=48) for i in range(2)],
        annotations=annotations,
        categories=[dict(id=7, name='hand'), dict(id=8, name='foot')],
    )


def check(folder: Path, data: dict) -> int:
    (folder / 'boxes.json').write_text(json.dumps(data))
    return check_box_file(str(folder / 'boxes.json'), ('hand',))


def test_good_file_and_pictures_without_a_box(tmp_path: Path):
    data = make_file()
    data['images'].append(dict(id=9, file_name='none.jpg', width=64, height=48))
    assert check(tmp_path, data) == 3


@pytest.mark.parametrize(
    'changes',
    [
        dict(category_id=8),
        dict(ignore=1),
        dict(bbox=[4, 5, 20, 0.5]),
        dict(bbox=[64, 5, 20, 20]),
        dict(bbox=[-30, 5, 20, 20]),
        dict(area=0),
    ],
)
def test_boxes_that_are_left_out_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict):
    logged: list[str] = []
    monkeypatch.setattr(keypoint_files, 'print_log', lambda text, **kwargs: logged.append(text))
    assert check(tmp_path, make_file()) == 3 and not logged
    assert check(tmp_path, make_file(**changes)) == 2
    assert len(logged) == 1 and '1 of 3 annotations are left out' in logged[0] and 'ids 11' in logged[0]


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(image_id=5), 'boxes.json: annotation 11: image_id: expected the id of an entry in images, got 5'),
        (dict(bbox=[1, 2, 3]), 'annotation 11: bbox: expected 4 numbers'),
        (dict(bbox=[1, 2, 3, float('nan')]), 'annotation 11: bbox: expected finite numbers'),
        (dict(id=10), 'got id 10 for the second time'),
    ],
)
def test_bad_records_are_named(tmp_path: Path, changes: dict, message: str):
    with pytest.raises(ValueError, match=message):
        check(tmp_path, make_file(**changes))


def test_missing_keys_and_names(tmp_path: Path):
    data = make_file()
    del data['annotations'][2]['area']
    with pytest.raises(ValueError, match='annotation at index 2, id 12: expected .*, got none of area'):
        check(tmp_path, data)
    data = make_file()
    data['categories'] = [dict(id=7, name='Hand')]
    with pytest.raises(ValueError, match='categories of which one is named hand, got Hand'):
        check(tmp_path, data)
    data = make_file()
    for annotation in data['annotations']:
        annotation['category_id'] = 8
    with pytest.raises(ValueError, match='3 of 3 annotations are left out.*nothing remains'):
        check(tmp_path, data)
    with pytest.raises(FileNotFoundError, match='nowhere.json: no such file'):
        check_box_file(str(tmp_path / 'nowhere.json'), ('hand',))


def test_images_without_a_hand_alone_are_fine(tmp_path: Path):
    data = make_file()
    assert check(tmp_path, data | dict(annotations=[])) == 0
    del data['annotations']
    with pytest.raises(ValueError, match="without the list 'annotations'"):
        check(tmp_path, data)
