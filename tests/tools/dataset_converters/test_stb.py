"""The STB converter on a miniature of the published form."""

import json

import cv2
import numpy as np
import pytest
import scipy.io
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

stb = load_tool('dataset_converters/stb')


def hand_para(num):
    """(3, 21, num): joint k of frame i, in the set's own order, lies at (k, 2k + 3i, 600) mm."""
    k, i = np.arange(21.0)[:, None], np.arange(float(num))[None]
    return np.stack([k + 0 * i, 2 * k + 3 * i, 600 + 0 * k * i])


@pytest.fixture
def root(tmp_path):
    for sequence in stb.SEQUENCES:
        (tmp_path / 'images' / sequence).mkdir(parents=True)
        (tmp_path / 'labels').mkdir(exist_ok=True)
        scipy.io.savemat(tmp_path / 'labels' / f'{sequence}_BB.mat', dict(handPara=hand_para(2)))
        for i in range(2):
            for camera in stb.CAMERAS:
                file = tmp_path / 'images' / sequence / f'BB_{camera}_{i}.png'
                cv2.imwrite(str(file), np.zeros((480, 640, 3), np.uint8))
    return tmp_path


def load(root, split):
    dataset = DATASETS.build(
        dict(type='STBDataset', data_root=str(root), ann_file=f'annotations/{split}.json', data_prefix=dict(img=''))
    )
    return {d['img_path'].split('images/')[1]: d['keypoints'][0] for d in dataset}


def test_both_cameras_and_the_split(root, capsys):
    account = stb.main(root, cameras=('left', 'right'))
    assert account.startswith('found 48, converted 48, skipped 0 hands')
    train, test = load(root, 'train'), load(root, 'test')
    assert len(train) == 44 and len(test) == 4 and all(name.startswith('B1Counting/') for name in test)
    left, right = test['B1Counting/BB_left_1.png'], test['B1Counting/BB_right_1.png']
    # the tip of our thumb is the set's joint 20, that of our little finger its joint 4; frame 1 is 3 mm lower
    scale = 822.79041 / 600
    assert left[4] == pytest.approx([318.47345 + 20 * scale, 250.31296 + 43 * scale], abs=1e-3)
    assert left[20] == pytest.approx([318.47345 + 4 * scale, 250.31296 + 11 * scale], abs=1e-3)
    assert left - right == pytest.approx(np.tile([120.054 * scale, 0], (21, 1)), abs=1e-3)


def test_the_wrist_lies_beyond_the_palm(root):
    palm, wrist = (stb.read_labels(root / 'labels' / 'B1Counting_BB.mat', keep)[0, 0] for keep in (True, False))
    assert palm.tolist() == [0, 0, 600]
    knuckle = [9.0, 18, 600]  # the middle finger's root, the set's joint 9
    assert wrist == pytest.approx(2 * palm - knuckle)


def test_missing_images_are_counted(root):
    (root / 'images' / 'B3Random' / 'BB_left_0.png').unlink()
    account = stb.main(root)
    assert 'found 24, converted 23, skipped 1 hands' in account and 'B3Random/BB_left_0.png' in account
    assert len(json.loads((root / 'annotations' / 'train.json').read_text())['annotations']) == 21


def test_images_without_labels_are_counted(root):
    (root / 'images' / 'B3Random' / 'BB_left_2.png').write_bytes(b'')
    assert 'found 25, converted 24, skipped 1 hands\n  1 skipped, no label: images/B3Random/BB_left_2.png' in stb.main(
        root
    )


def test_nothing_left_to_train_on(root):
    with pytest.raises(ValueError, match='test: expected some of the sequences, got all'):
        stb.main(root, test=stb.SEQUENCES)


@pytest.mark.parametrize(
    ('damage', 'error', 'message'),
    [
        (lambda f: f.unlink(), FileNotFoundError, 'B2Random_BB.mat: no such file'),
        (lambda f: f.write_bytes(b'no'), ValueError, 'B2Random_BB.mat: expected a MATLAB file'),
        (
            lambda f: scipy.io.savemat(f, dict(other=1)),
            ValueError,
            r'B2Random_BB.mat: handPara: expected numbers \(3, 21, N\)',
        ),
        (
            lambda f: scipy.io.savemat(f, dict(handPara=hand_para(2)[:, :20])),
            ValueError,
            r'got float64 \(3, 20, 2\)',
        ),
        (
            lambda f: scipy.io.savemat(f, dict(handPara=-hand_para(2))),
            ValueError,
            'frame 0: expected finite points before',
        ),
    ],
)
def test_damaged_labels(root, damage, error, message):
    damage(root / 'labels' / 'B2Random_BB.mat')
    with pytest.raises(error, match=message):
        stb.main(root)
    assert not (root / 'annotations').exists()
