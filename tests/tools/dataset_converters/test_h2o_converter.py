"""The H2O converter on a miniature of the published form."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

h2o = load_tool('dataset_converters/h2o')
HEADER = 'id path action_label start_act end_act start_frame end_frame'
FOLDER = 'subject1/h1/0'


def hand(x: float, flag: int = 1) -> str:
    """Joint k of a hand lies at (x, k, 500) mm; of an absent one everything is 0."""
    numbers = [flag, *(v for k in range(21) for v in ((x, k / 1000, 0.5) if flag else (0, 0, 0)))]
    return ' '.join(map(str, numbers))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    labels, folder = tmp_path / 'action_labels', tmp_path / FOLDER / 'cam4'
    for path in (labels, folder / 'rgb', folder / 'hand_pose'):
        path.mkdir(parents=True)
    (labels / 'action_train.txt').write_text(f'{HEADER}\n1 {FOLDER} 16 0 61 0 61\n2 {FOLDER} 24 60 65 0 61\n')
    (labels / 'action_val.txt').write_text(f'{HEADER}\n1 {FOLDER} 1 5 5 0 61\n')
    (labels / 'action_test.txt').write_text(f'id path start_act end_act start_frame end_frame\n1 {FOLDER} 0 9 0 61\n')
    (folder / 'cam_intrinsics.txt').write_text('636.65930 636.25195 635.28388 366.87404 1280 720\n')
    for i in range(66):
        cv2.imwrite(str(folder / 'rgb' / f'{i:06d}.png'), np.zeros((9, 16, 3), np.uint8))
        (folder / 'hand_pose' / f'{i:06d}.txt').write_text(f'{hand(-0.1, int(i != 4))} {hand(0.1)}\n')
    return tmp_path


def load(root: Path, split: str) -> list[dict]:
    cfg = dict(type='HandClipDataset', data_root=str(root), hands=('left', 'right'), test_mode=True)
    dataset = DATASETS.build(dict(cfg, ann_file=f'annotations/{split}.json'))
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_actions_are_the_published_ones() -> None:
    assert len(h2o.ACTIONS) == 36 and h2o.ACTIONS[15] == 'place cappuccino'
    numbered = {1: 'grab book', 17: 'open lotion', 22: 'close chips', 23: 'pour milk', 24: 'take out espresso',
                30: 'put in cappuccino', 31: 'apply lotion', 34: 'read espresso', 36: 'squeeze lotion'}  # fmt: skip
    assert {i: h2o.ACTIONS[i - 1] for i in numbered} == numbered


def test_segments_by_hand(root: Path) -> None:
    """ "1 subject1/h1/0 16 0 61 …" is action 15, object 7 and 62 frames; segments may share frames."""
    account = h2o.main(root, ('train', 'val'))
    assert account.startswith('found 3, converted 3, skipped 0 videos\n1 hands flagged absent')
    assert 'train.json: 2 videos, 68 frames; clips of T = 128: 38 to train, 4 to test' in account
    first, odd, second, _ = load(root, 'train')
    assert (first['action'], first['object'], first['frame_valid'].sum() + odd['frame_valid'].sum()) == (15, 7, 62)
    assert (second['action'], second['object']) == (23, 1) and second['frame_id'][:4].tolist() == [60, 62, 64, 64]
    assert second['img_path'][0] == f'{root}/{FOLDER}/cam4/rgb/000060.png'
    assert [clip['frame_id'][0] for clip in load(root, 'val')] == [5]


def test_hands_by_hand(root: Path) -> None:
    """The left hand comes first, in metres; a hand whose flag is 0 has no weight."""
    h2o.main(root, ('train',))
    clip = load(root, 'train')[0]
    assert clip['keypoints'][0, 20] == pytest.approx([-0.1, 0.02, 0.5])
    assert clip['keypoints'][0, 21] == pytest.approx([0.1, 0, 0.5])
    weights = clip['keypoints_visible']
    assert (weights[2, :21] == 0).all() and (weights[2, 21:] == 1).all() and weights.sum() == 128 * 42 - 21


def test_the_camera_is_that_of_the_images(root: Path) -> None:
    h2o.main(root, ('val',))
    assert np.diag(load(root, 'val')[0]['camera'])[:2] * 80 == pytest.approx([636.6593, 636.25195])


def test_the_published_test_file_is_refused_with_the_way_out(root: Path) -> None:
    message = 'action_test.txt: columns: expected id path action .*, got id path start_act .*--test-labels'
    with pytest.raises(ValueError, match=message):
        h2o.main(root)
    assert not (root / 'annotations').exists()
    labels = root / 'mine.txt'
    labels.write_text(f'id path start_act end_act start_frame end_frame action\n1 {FOLDER} 0 9 0 61 36\n')
    assert 'test.json: 1 videos, 10 frames' in h2o.main(root, test_labels=labels)
    assert load(root, 'test')[0]['action'] == 35


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / name).write_text((root / name).read_text().replace(old, new, 1))


@pytest.mark.parametrize('file', ['rgb/000030.png', 'hand_pose/000030.txt'])
def test_segments_without_a_picture_or_a_pose_are_listed(file: str, root: Path) -> None:
    (root / FOLDER / 'cam4' / file).unlink()
    account = h2o.main(root, ('train',))
    assert account.startswith('found 2, converted 1, skipped 1 videos')
    assert re.search(rf'1 skipped, no such (image|pose): 1 {FOLDER} 0-61 \(.*{file}\)', account)
    content = json.loads((root / 'annotations' / 'train.json').read_text())
    assert [video['name'] for video in content['videos']] == [f'2 {FOLDER} 60-65']


LABELS, POSE = 'action_labels/action_train.txt', f'{FOLDER}/cam4/hand_pose/000003.txt'


@pytest.mark.parametrize(
    ('damage', 'error', 'message'),
    [
        (edit(LABELS, ' 16 ', ' -1 '), ValueError, 'line 2: action: expected a number from 1 to 36, got -1'),
        (edit(LABELS, ' 16 ', ' 37 '), ValueError, 'line 2: action: expected a number from 1 to 36, got 37'),
        (edit(LABELS, '0 61 0', '62 61 0'), ValueError, 'start_act, end_act: expected 0 ≤ start ≤ end, got 62, 61'),
        (edit(LABELS, '0 61 0 61', '0 61'), ValueError, 'line 2: segment: expected id path action'),
        (edit(LABELS, 'end_act', 'end'), ValueError, 'columns: expected id path .*, missing end_act'),
        (lambda r: (r / LABELS).unlink(), FileNotFoundError, 'action_train.txt: no such file'),
        (lambda r: (r / LABELS).write_text(''), ValueError, 'columns: expected id path .*, got an empty file'),
        (lambda r: (r / POSE).write_text('1 2 3'), ValueError, '000003.txt: hands: expected 128 finite numbers, got 3'),
        (lambda r: (r / POSE).write_text(f'{hand(0)} {hand(0, 1)}'.replace('1', '2', 1)), ValueError,
         'left hand: flag: expected 0 or 1, got 2'),
        (edit(POSE, '0.5', '-0.5'), ValueError, 'left hand: depth: expected metres above 0, got -0.5'),
    ],
)  # fmt: skip
def test_files_of_another_form(damage: Callable, error: type, message: str, root: Path) -> None:
    damage(root)
    with pytest.raises(error, match=message):
        h2o.main(root, ('train',))
    assert not (root / 'annotations').exists()


def test_unknown_split(root: Path) -> None:
    with pytest.raises(ValueError, match=r"splits: expected one or more of \('train', 'val', 'test'\), got \('all',\)"):
        h2o.main(root, ('all',))
