"""Converters of HanCo and FreiHAND, on miniature sets of their formats."""

import json
from pathlib import Path

import cv2
import freihand
import hanco
import numpy as np
import pytest
from helpers.converted import blank_image

from handkp_plugins.datasets.hand import HanCoDataset, HandViewDataset

K = np.array([[300.0, 0, 112], [0, 300, 112], [0, 0, 1]])


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def hand(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.08, 0.08, (21, 3))


def place(view: int) -> np.ndarray:
    """From the world to camera ``view``, which looks at the origin from 0.7 m."""
    matrix = np.eye(4)
    matrix[:3, :3], _ = cv2.Rodrigues(np.array([0, view * np.pi / 4, 0.1]))
    matrix[2, 3] = 0.7
    return matrix


@pytest.fixture
def hanco_root(tmp_path: Path) -> Path:
    for sequence, folder in (('0007', 'rgb'), ('1200', 'rgb_merged')):
        for frame in ('00000000', '00000001', '00000002'):
            places = [place(view).tolist() for view in range(8)]
            write(tmp_path / 'calib' / sequence / f'{frame}.json', dict(K=[K.tolist()] * 8, M=places))
            write(tmp_path / 'xyz' / sequence / f'{frame}.json', hand(int(frame)).tolist())
            for view in range(8):
                blank_image(tmp_path / folder / sequence / f'cam{view}' / f'{frame}.jpg', 224, 224)
                labels = [np.full((21, 2), 10.0 + view).tolist(), np.full((21, 1), 0.6).tolist()]
                write(tmp_path / 'rgb_2D_keypoints' / sequence / f'cam{view}' / f'{frame}.json', labels)
    return tmp_path


def load(kind: type[HandViewDataset], root: Path, split: str, **options: str) -> HandViewDataset:
    return kind(ann_file=f'annotations/{split}.json', data_root=str(root), data_prefix=dict(img=''), **options)


def test_hanco(hanco_root: Path) -> None:
    (hanco_root / 'rgb/0007/cam5/00000002.jpg').unlink()
    account = hanco.main(hanco_root)
    assert 'found 6, converted 5, skipped 1 frames' in account
    assert '1 skipped, no such image: 0007/00000002 (rgb/0007/cam5/00000002.jpg)' in account
    train, test = (load(HanCoDataset, hanco_root, split) for split in ('train', 'test'))
    assert (len(train), len(test)) == (16, 24)
    assert 'keypoints_3d' not in train[0] and (train[3]['keypoints'] == 13).all()
    assert (train[3]['keypoints_visible'] == np.float32(0.6)).all() and Path(train[3]['img_path']).is_file()
    sample = test[8 + 2]
    assert (sample['frame_id'], sample['view_id']) == (120_000_001, 2)
    expected = hand(1) @ place(2)[:3, :3].T + place(2)[:3, 3]
    assert np.allclose(sample['keypoints_3d'][0], expected, atol=1e-5)
    pixels = expected @ K.T
    assert np.allclose(sample['keypoints'][0], pixels[:, :2] / pixels[:, 2:], atol=1e-3)


def test_hanco_in_steps(hanco_root: Path) -> None:
    assert 'converted 4' in hanco.main(hanco_root, every=2)


@pytest.mark.parametrize(
    ('file', 'data', 'message'),
    [
        ('calib/0007/00000001.json', dict(K=[[1]]), r'00000001.json: K: expected numbers of shape \(8, 3, 3\)'),
        ('rgb_2D_keypoints/0007/cam1/00000000.json', [[1, 2]], 'cam1/00000000.json: expected 21×2 pixels and 21'),
        ('xyz/1200/00000000.json', [[1, 2, 3]], r'xyz/1200/00000000.json: expected numbers of shape \(21, 3\)'),
    ],
)
def test_bad_files_of_hanco(hanco_root: Path, file: str, data: object, message: str) -> None:
    write(hanco_root / file, data)
    with pytest.raises(ValueError, match=message):
        hanco.main(hanco_root)


def test_hanco_elsewhere(hanco_root: Path, tmp_path: Path) -> None:
    blank_image(hanco_root / 'rgb/0007/cam0/00000000.jpg', 448, 448)
    with pytest.raises(ValueError, match='cam0/00000000.jpg: expected 224×224 pixels, got 448×448'):
        hanco.main(hanco_root)
    with pytest.raises(FileNotFoundError, match='calib: no files SEQUENCE/FRAME.json; they come with the set'):
        hanco.main(tmp_path / 'nothing')


@pytest.fixture
def freihand_root(tmp_path: Path) -> Path:
    for name, poses, images in (('training', 2, 8), ('evaluation', 3, 3)):
        write(tmp_path / f'{name}_K.json', [K.tolist()] * poses)
        write(tmp_path / f'{name}_xyz.json', [(hand(i) + [0, 0, 0.6]).tolist() for i in range(poses)])
        for i in range(images):
            blank_image(tmp_path / name / 'rgb' / f'{i:08d}.jpg', 224, 224)
    meshes = np.random.default_rng(0).normal(size=(3, 778, 3))
    write(tmp_path / 'evaluation_verts.json', meshes.round(4).tolist())
    return tmp_path


def test_freihand(freihand_root: Path) -> None:
    account = freihand.main(freihand_root)
    assert 'found 11, converted 11, skipped 0 images' in account
    train = load(HandViewDataset, freihand_root, 'train')
    assert len(train) == 8 and np.allclose(train[5]['keypoints_3d'], hand(1) + [0, 0, 0.6], atol=1e-5)
    test = load(HandViewDataset, freihand_root, 'test', vertices_file='annotations/test_vertices.npy')
    meshes = json.loads((freihand_root / 'evaluation_verts.json').read_text())
    assert len(test) == 3 and np.allclose(test[2]['vertices'], meshes[2])
    pixels = test[2]['keypoints_3d'][0] @ test[2]['camera'].T
    assert np.allclose(test[2]['keypoints'][0], pixels[:, :2] / pixels[:, 2:], atol=1e-3)


def test_bad_files_of_freihand(freihand_root: Path) -> None:
    write(freihand_root / 'training_xyz.json', [hand(0).tolist()])
    with pytest.raises(
        ValueError, match=r'training_xyz.json: expected numbers of shape \(2, 21, 3\), got \(1, 21, 3\)'
    ):
        freihand.main(freihand_root)
