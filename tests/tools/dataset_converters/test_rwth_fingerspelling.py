"""The converter of RWTH German Fingerspelling on a miniature."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

from handkp_plugins.fileio.images import read_image

rwth = load_tool('dataset_converters/rwth_fingerspelling')


def annotations(root: Path, part: str) -> dict:
    return json.loads((root / 'annotations' / f'{part}.json').read_text())


def write_clip(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MPG1'), 25, (32, 24))
    for i in range(frames):
        writer.write(np.full((24, 32, 3), 10 + 20 * i, np.uint8))
    writer.release()


@pytest.fixture
def clips(tmp_path):
    """Signs A, B and J (which moves) by four people, recorded twice by two cameras, 11 frames each."""
    for person in range(1, 5):
        for sign in (1, 2, 10):
            for recording in (1, 2):
                for camera in (1, 2):
                    name = f'{person}_{sign}_{recording}_cam{camera}.mpg'
                    write_clip(tmp_path / 'clips' / str(sign) / name, 11)
    return tmp_path


def test_frames_of_one_camera_without_movements(clips):
    (clips / 'clips' / 'readme.txt').write_text('of ours')
    (clips / 'clips' / '1' / '1_1_1_cam1.mpg').write_bytes(b'no video')
    account = rwth.main(clips, num=100, val=4, label=3)
    assert '24 clips of camera 1, 16 of wanted signs' in account
    assert 'do not match the pattern: readme.txt' in account
    assert '1_1_1_cam1.mpg: left out: ' in account
    parts = {name: annotations(clips, name) for name in ('train', 'val', 'label')}
    images = [image for name in ('train', 'val') for image in parts[name]['images']]
    kinds = [image['file_name'].split('_')[-1] for image in images]
    assert kinds.count('middle.jpg') == 15 and kinds.count('first.jpg') + kinds.count('last.jpg') in (7, 8)
    people = [{image['person'] for image in parts[name]['images']} for name in ('train', 'val')]
    assert people[0] | people[1] == {1, 2, 3, 4} and not people[0] & people[1] and len(people[1]) == 1
    assert len(parts['label']['images']) == 3
    assert {i['file_name'] for i in parts['label']['images']} <= {i['file_name'] for i in parts['train']['images']}
    assert {a['gesture'] for name in ('train', 'val') for a in parts[name]['annotations']} == {'A', 'B'}
    for image in images:
        grey = read_image(clips / image['file_name']).mean()
        place = dict(first=0, middle=5, last=10)[image['file_name'].split('_')[-1][:-4]]
        assert image['frame_id'] == place and grey == pytest.approx(10 + 20 * place, abs=6)


def test_its_number_of_frames_and_other_names(clips):
    assert 'frames: ' in rwth.main(clips, num=5, val=1, all_signs=True)
    assert sum(len(annotations(clips, name)['images']) for name in ('train', 'val')) == 5
    with pytest.raises(FileNotFoundError, match=r'expected clips of camera 3 with names as .*, got 48 other files'):
        rwth.main(clips, camera=3)
    with pytest.raises(ValueError, match='pattern: expected groups sign, .*, got none of camera'):
        rwth.main(clips, pattern=r'(?P<sign>\d+)/(?P<person>\d+)_(?P<recording>\d+)_.*')
    with pytest.raises(ValueError, match='10_1_cam1.mpg: expected a sign from 1 to 2, got 10'):
        rwth.main(clips, signs=('A', 'B'))
    with pytest.raises(ValueError, match='val: expected fewer than the 24 frames of all 4 people, got 500'):
        rwth.main(clips, val=500)
    with pytest.raises(ValueError, match='num: expected an integer from 1, got 0'):
        rwth.main(clips, num=0)


def test_labelled_frames_train_and_the_others_are_left_out(clips):
    rwth.main(clips, num=100, val=4, label=3)
    path = clips / 'annotations' / 'label.json'
    content = json.loads(path.read_text())
    content['annotations'][1].update(keypoints=[5, 6, 2] * 21, num_keypoints=21)
    path.write_text(json.dumps(content))
    dataset = DATASETS.build(dict(type='HandVideoDataset', data_root=str(clips), ann_file='annotations/label.json'))
    assert len(dataset) == 1 and dataset[0]['keypoints'][0, 3].tolist() == [5, 6]
