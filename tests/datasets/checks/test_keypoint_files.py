import copy
import json
import time
from pathlib import Path

import pytest

from handkp_plugins.datasets.checks import keypoint_files
from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file


def make_file(num_annotations: int = 3, num_keypoints: int = 21) -> dict:
    return dict(
        images=[dict(id=i, file_name=f'{i}.jpg', width=64, height=48) for i in range(num_annotations)],
        annotations=[
            dict(id=100 + i, image_id=i, category_id=1, bbox=[4, 5, 20, 30], keypoints=[10, 12.5, 1] * num_keypoints)
            for i in range(num_annotations)
        ],
    )


def check(tmp_path: Path, data, **kwargs) -> int:
    path = tmp_path / 'ann.json'
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return check_keypoint_file(str(path), **kwargs)


def test_good_file(tmp_path):
    assert check(tmp_path, make_file()) == 3


def test_nested_keypoints_and_a_mixture(tmp_path):
    data = make_file()
    data['annotations'][0]['keypoints'] = [[10, 12, 1]] * 21
    assert check(tmp_path, data) == 3
    for annotation in data['annotations']:
        annotation['keypoints'] = [[10, 12, 1]] * 21
    assert check(tmp_path, data) == 3


def test_other_number_of_keypoints(tmp_path):
    assert check(tmp_path, make_file(num_keypoints=42), num_keypoints=42) == 3


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'ann.json: expected a COCO file in JSON, got an empty file'),
        (' \n', 'got an empty file'),
        ('{"images": [', 'ann.json: expected a COCO file in JSON, got text that does not parse .*line 1 column 13'),
        ('[]', "lists 'images' and 'annotations', got list"),
        ('{}', "got one without the list 'images'"),
        ('{"images": [], "annotations": []}', "one or more entries in 'images', got none"),
        ('{"images": {}, "annotations": []}', "got one without the list 'images'"),
    ],
)
def test_bad_file(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        check(tmp_path, text)


def test_binary_file(tmp_path):
    (tmp_path / 'ann.json').write_bytes(b'\xff\xd8\xff\xe0\x00\x10')
    with pytest.raises(ValueError, match='ann.json: .*does not parse'):
        check_keypoint_file(str(tmp_path / 'ann.json'))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.json: no such file'):
        check_keypoint_file(str(tmp_path / 'gone.json'))


def test_empty_annotation_list(tmp_path):
    with pytest.raises(ValueError, match="ann.json: expected one or more entries in 'annotations', got none"):
        check(tmp_path, dict(make_file(), annotations=[]))


NAN, GONE = float('nan'), object()


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(keypoints=GONE), r'annotation at index 1, id 101: expected id, .*, got none of keypoints'),
        (dict(bbox=GONE, image_id=GONE), r'annotation at index 1, id 101: .*, got none of image_id, bbox'),
        (dict(id=GONE), r'annotation at index 1, id None: .*, got none of id'),
        (dict(id=100), r'annotation at index 1: expected ids that differ, got id 100 for the second time'),
        (dict(id=[1]), r'annotation at index 1: id: expected a number, got \[1\]'),
        (dict(image_id=77), r'annotation 101: image_id: expected the id of an entry in images, got 77'),
        (dict(keypoints=[]), r'annotation 101: keypoints: expected 63 numbers \(.*\), got 0: \[\]'),
        (
            dict(keypoints=[1, 2, 1] * 20),
            r'annotation 101: keypoints: expected 63 numbers \(.*\), got 60: \[1, 2',
        ),
        (dict(keypoints=[[1, 2]] * 21), r'annotation 101: keypoints: expected 63 numbers .* got 42'),
        (dict(keypoints=None), r'annotation 101: keypoints: expected 63 numbers .* got 1: None'),
        (dict(keypoints='many'), r'annotation 101: keypoints: expected 63 numbers .* got \'many\''),
        (
            dict(keypoints=[[1, 2, 1], [1]]),
            r'annotation 101: keypoints: expected 63 numbers .* got \[\[1, 2, 1\], \[1\]\]',
        ),
        (
            dict(keypoints=[1, 2, 1] * 4 + [1, NAN, 1] + [1, 2, 1] * 16),
            r'annotation 101: keypoints: expected finite numbers, got nan \(keypoint 4, y\)',
        ),
        (dict(keypoints=[None, 2, 1] + [1, 2, 1] * 20), r'annotation 101: .* got nan \(keypoint 0, x\)'),
        (
            dict(keypoints=[1, 2, -1] + [1, 2, 1] * 20),
            r'annotation 101: keypoints: expected a visibility from 0 on, got -1',
        ),
        (
            dict(keypoints=[0, 0, 0] * 21),
            r'annotation 101: keypoints: expected a labelled one .* got none labelled',
        ),
        (
            dict(bbox=[4, 5, 0, 30]),
            r'annotation 101: bbox: expected a width and height above 0, got \[4.0, 5.0, 0.0, 30.0\]',
        ),
        (dict(bbox=[4, 5, 20, -1]), r'annotation 101: bbox: expected a width and height above 0'),
        (dict(bbox=[4, 5, 20]), r'annotation 101: bbox: expected 4 numbers .* got 3'),
        (dict(bbox=[4, NAN, 20, 30]), r'annotation 101: bbox: expected finite numbers, got nan \(number 1\)'),
    ],
)
def test_bad_annotation(change, message, tmp_path):
    data = make_file()
    data['annotations'][1].update(change)
    data['annotations'][1] = {k: v for k, v in data['annotations'][1].items() if v is not GONE}
    with pytest.raises(ValueError, match=rf'ann\.json: {message}'):
        check(tmp_path, data)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(width=0), 'image 1: width: expected a positive number, got 0'),
        (dict(height=None), 'image 1: height: expected a positive number, got None'),
        (dict(id=0), 'image at index 1: expected ids that differ'),
        (dict(file_name=GONE), 'image at index 1, id 1: .*, got none of file_name'),
    ],
)
def test_bad_image(change, message, tmp_path):
    data = make_file()
    data['images'][1] = {k: v for k, v in {**data['images'][1], **change}.items() if v is not GONE}
    with pytest.raises(ValueError, match=message):
        check(tmp_path, data)


def test_record_that_is_no_object(tmp_path):
    with pytest.raises(ValueError, match='annotation at index 1: expected a JSON object, got 5'):
        check(tmp_path, dict(make_file(), annotations=[make_file()['annotations'][0], 5]))


@pytest.mark.parametrize(
    'change',
    [dict(num_keypoints=0, keypoints=[0] * 63), dict(iscrowd=1, bbox=[0, 0, 0, 0]), dict(bbox=[70, 5, 20, 30])],
)
def test_what_mmpose_leaves_out_is_counted_and_logged(change, tmp_path, monkeypatch):
    logged = []
    monkeypatch.setattr(keypoint_files, 'print_log', lambda text, **kwargs: logged.append(text))
    data = make_file()
    assert check(tmp_path, data) == 3 and not logged
    data['annotations'][1].update(change)
    assert check(tmp_path, data) == 2
    assert len(logged) == 1 and 'ann.json: 1 of 3 annotations are left out' in logged[0] and 'ids 101' in logged[0]
    for annotation in data['annotations']:
        annotation.update(copy.deepcopy(change))
    with pytest.raises(ValueError, match='3 of 3 annotations are left out.*ids 100, 101, 102; nothing remains'):
        check(tmp_path, data)


@pytest.mark.parametrize('name', ['onehand10k', 'panoptic', 'freihand', 'rhd'])
def test_real_samples_pass(name, real_data):
    path = real_data / 'real_samples' / name / f'test_{name}.json'
    assert check_keypoint_file(str(path)) == len(json.loads(path.read_text())['annotations'])


def test_count_agrees_with_what_mmpose_loads(tmp_path):
    from mmpose.datasets import OneHand10KDataset

    data = make_file(5)
    data['annotations'][1].update(num_keypoints=0)
    data['annotations'][2].update(bbox=[63, 5, 20, 30])
    data['annotations'][3].update(bbox=[62.5, 5, 20, 30])
    used = check(tmp_path, data)
    assert used == len(OneHand10KDataset(ann_file=str(tmp_path / 'ann.json'))) == 3


def test_ten_thousand_records_in_a_second(tmp_path):
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(make_file(10_000)))
    start = time.perf_counter()
    json.loads(path.read_bytes())
    parsed = time.perf_counter()
    check_keypoint_file(str(path))
    took = time.perf_counter() - parsed
    assert took - (parsed - start) < 1, f'{took:.2f} s with parsing, {parsed - start:.2f} s parsing alone'
