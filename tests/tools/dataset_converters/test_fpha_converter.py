"""The FPHA converter on a miniature of the published form."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import to_our_order

fpha = load_tool('dataset_converters/fpha')
VIDEOS = {'Subject_1/put_salt/1': 3, 'Subject_2/put_salt/2': 2, 'Subject_1/open_jar/1': 2}


def skeleton(frames: int) -> str:
    """Joint k of frame i, in the set's own order, lies at (k, 2k, 400 + i) mm of the tracker's frame."""
    rows = [[i, *(v for k in range(21) for v in (k, 2 * k, 400 + i))] for i in range(frames)]
    return '\n'.join(' '.join(map(str, row)) for row in rows) + '\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / 'action_object_info.txt').write_text(
        'Index Action_name Object Object_pose Scenario\n1 open_jar jar N kitchen\n2  put_salt salt N kitchen\n'
        '3 close_jar jar N kitchen\n'
    )
    (tmp_path / 'data_split_action_recognition.txt').write_text(
        'Training 2\nSubject_1/put_salt/1 1\nSubject_1/open_jar/1 0\nTest 1\nSubject_2/put_salt/2 1\n'
    )
    (tmp_path / 'Subjects_info').mkdir()
    for subject in ('Subject_1', 'Subject_2'):
        lines = [f'{n.split("/")[1]}  {n.split("/")[2]}  {size}' for n, size in VIDEOS.items() if subject in n]
        (tmp_path / 'Subjects_info' / f'{subject}_info.txt').write_text('\n'.join(['a', 'b', 'c', *lines]) + '\n')
    for name, size in VIDEOS.items():
        poses, images = tmp_path / 'Hand_pose_annotation_v1' / name, tmp_path / 'Video_files' / name / 'color'
        poses.mkdir(parents=True)
        images.mkdir(parents=True)
        (poses / 'skeleton.txt').write_text(skeleton(size + 1))  # the published files may have more rows than frames
        for i in range(size):
            cv2.imwrite(str(images / f'color_{i:04d}.jpeg'), np.zeros((27, 48, 3), np.uint8))
    return tmp_path


def load(root: Path, split: str) -> list[dict]:
    file = f'annotations/{split}.json'
    dataset = DATASETS.build(dict(type='HandClipDataset', data_root=str(root), ann_file=file, test_mode=True))
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_videos_labels_and_split(root: Path) -> None:
    account = fpha.main(root)
    assert account.startswith('found 3, converted 3, skipped 0 videos')
    assert 'train.json: 2 videos, 5 frames; clips of T = 128: 5 to train, 4 to test' in account
    (salt, _, jar, _), (test, _) = load(root, 'train'), load(root, 'test')
    assert [(clip['action'], clip['object']) for clip in (salt, jar, test)] == [(1, 1), (0, 0), (1, 1)]
    assert salt['img_path'][1] == f'{root}/Video_files/Subject_1/put_salt/1/color/color_0002.jpeg'
    content = json.loads((root / 'annotations' / 'train.json').read_text())
    assert content['actions'] == ['open_jar', 'put_salt', 'close_jar'] and content['objects'] == ['jar', 'salt']
    assert content['videos'][0]['name'] == 'Subject_1/put_salt/1'


def test_joints_by_hand(root: Path) -> None:
    """Our fingertips are joints 8, 11, 14, 17 and 20 of the set; millimetres become metres of the colour camera."""
    assert to_our_order(np.arange(21)[:, None], 'fpha')[[4, 8, 12, 16, 20], 0].tolist() == [8, 11, 14, 17, 20]
    fpha.main(root)
    clip = load(root, 'train')[0]
    x, y, z = 11, 22, 402  # the index finger's tip in frame 2, the second one of the clip
    expected = [
        0.999988496304 * x - 0.00468848412856 * y + 0.000982563360594 * z + 25.7,
        0.00469115935266 * x + 0.999985218048 * y - 0.00273845880292 * z + 1.22,
        -0.000969709653873 * x + 0.00274303671904 * y + 0.99999576807 * z + 3.902,
    ]
    assert clip['keypoints'][1, 8] == pytest.approx(np.array(expected) / 1000, abs=2e-6)
    assert (clip['keypoints_visible'] == 1).all()


def test_the_camera_is_that_of_the_images(root: Path) -> None:
    """Images of 48×27 are 1/40 of 1920×1080."""
    fpha.main(root)
    camera = load(root, 'test')[0]['camera']
    assert camera * [[40], [40], [1]] == pytest.approx(fpha.CAMERA, rel=1e-5)


def test_another_version_of_the_poses(root: Path) -> None:
    (root / 'Hand_pose_annotation_v1').rename(root / 'Hand_pose_annotation_v1_1')
    assert fpha.main(root).startswith('found 3, converted 3')


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / name).write_text((root / name).read_text().replace(old, new, 1))


POSES, IMAGES = 'Hand_pose_annotation_v1/Subject_1/open_jar/1', 'Video_files/Subject_1/open_jar/1/color'


@pytest.mark.parametrize(
    ('damage', 'reason'),
    [
        (lambda r: (r / IMAGES / 'color_0001.jpeg').unlink(), rf'no such image: Subject_1/open_jar/1 \({IMAGES}'),
        (lambda r: (r / IMAGES / 'color_0000.jpeg').write_bytes(b''), 'unreadable image: Subject_1/open_jar/1'),
        (lambda r: (r / POSES / 'skeleton.txt').unlink(), 'no skeleton.txt: Subject_1/open_jar/1'),
        (lambda r: (r / POSES / 'skeleton.txt').write_text(skeleton(1)), 'fewer poses than frames: Subject_1'),
        (lambda r: (r / POSES / 'skeleton.txt').write_text(''), 'fewer poses than frames: Subject_1/open_jar/1'),
        (edit('Subjects_info/Subject_1_info.txt', 'open_jar', 'open'), 'no entry in Subjects_info: Subject_1/open_jar'),
    ],
)  # fmt: skip
def test_videos_that_are_skipped_are_listed(damage: Callable, reason: str, root: Path) -> None:
    damage(root)
    account = fpha.main(root)
    assert account.startswith('found 3, converted 2, skipped 1 videos')
    assert re.search(f'1 skipped, {reason}', account)
    assert len(load(root, 'train')) == 2


@pytest.mark.parametrize(
    ('damage', 'error', 'message'),
    [
        (lambda r: (r / 'action_object_info.txt').unlink(), FileNotFoundError, 'action_object_info.txt: no such file'),
        (lambda r: (r / 'Video_files').rename(r / 'x'), FileNotFoundError, 'Video_files: no such folder'),
        (edit('action_object_info.txt', '2 ', '4 '), ValueError, 'line 3: action: expected index 2, action and object'),
        (
            edit('data_split_action_recognition.txt', 'put_salt', 'add_salt'),
            ValueError,
            "line 2: video: expected subject/action/sequence with an action .*, got 'Subject_1/add_salt/1'",
        ),
        (edit('data_split_action_recognition.txt', 'Test', '#'), ValueError, "line 4: video: expected subject/action"),
        (edit('Subjects_info/Subject_2_info.txt', '  2  2', ' 2'), ValueError, 'line 4: expected action, sequence and'),
        (edit(f'{POSES}/skeleton.txt', '400', 'nan'), ValueError, 'line 1: skeleton: expected frame 0 and 63 finite'),
        (edit(f'{POSES}/skeleton.txt', '1 ', ''), ValueError, 'line 1: skeleton: expected frame 0 and 63 finite'),
    ],
)  # fmt: skip
def test_files_of_another_form(damage: Callable, error: type, message: str, root: Path) -> None:
    damage(root)
    with pytest.raises(error, match=message):
        fpha.main(root)
    assert not (root / 'annotations').exists()
