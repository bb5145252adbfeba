"""The RHD converter on a miniature of the published tree and on real pictures, and what it does not run."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_NAMES, to_our_order

rhd = load_tool('dataset_converters/rhd')
CONFIG = ROOT / 'configs' / 'joint_heads' / 'joint_heads_fc-r18_rhd.py'


def hand(x: float, seen: int = 21) -> np.ndarray:
    """Keypoint k, in the set's order, at (x + k, 10 + 2k); the first ones are seen."""
    k = np.arange(21.0)
    return np.stack([x + k, 10 + 2 * k, k < seen], -1)


def write_part(root: Path, part: str, pictures: list[np.ndarray], protocol: int = 2) -> None:
    """``color``, ``mask`` and ``depth`` as published, and labels with xyz, uv_vis and K."""
    for kind in ('color', 'mask', 'depth'):
        (root / part / kind).mkdir(parents=True, exist_ok=True)
    labels = {}
    for i, uv_vis in enumerate(pictures):
        image = np.full((64, 80, 3), 9, np.uint8)
        for u, v, _ in uv_vis:
            cv2.circle(image, (int(u), int(v)), 1, (0, 0, 255), -1)
        cv2.imwrite(str(root / part / 'color' / f'{i:05d}.png'), image)
        labels[i] = dict(xyz=np.zeros((42, 3)), uv_vis=uv_vis, K=np.eye(3))
    (root / part / f'anno_{part}.pickle').write_bytes(pickle.dumps(labels, protocol=protocol))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    both, one, neither = (np.concatenate([hand(5), hand(40, n)]) for n in (21, 5, 0))
    neither[:, 2] = 0
    write_part(tmp_path, 'training', [both, one, both, neither, both])
    write_part(tmp_path, 'evaluation', [both, one], protocol=5)
    return tmp_path


def load(root: Path, split: str) -> list[dict[str, Any]]:
    path = root / 'annotations' / f'{split}.json'
    assert check_keypoint_file(str(path)) > 0
    config = dict(type='Rhd2DDataset', ann_file=str(path), data_prefix=dict(img=f'{root}/'))
    init_default_scope('mmpose')
    dataset = DATASETS.build(config)
    return [dataset[i] for i in range(len(dataset))]


def test_splits_hands_and_what_is_skipped(root: Path) -> None:
    account = rhd.main(root, num_val=3)
    assert 'found 14, converted 10, skipped 4 hands' in account
    assert '4 skipped, fewer than 11 keypoints seen: training/color/00001.png right' in account
    assert [len(load(root, split)) for split in ('train', 'val', 'test')] == [4, 3, 3]
    names = {split: {d['img_path'] for d in load(root, split)} for split in ('train', 'val')}
    assert not names['train'] & names['val']  # both hands of a picture stay together
    sides = [(d['keypoints'][0, 0, 0], d['raw_ann_info']['handedness']) for d in load(root, 'test')]
    assert sides == [(5, 'left'), (40, 'right'), (5, 'left')]


def test_the_files_order_is_the_sets(root: Path) -> None:
    rhd.main(root, num_val=1)
    (category,) = json.loads((root / 'annotations' / 'test.json').read_text())['categories']
    init_default_scope('mmpose')
    names = DATASETS.get('Rhd2DDataset')(lazy_init=True).metainfo['keypoint_id2name']
    assert category['keypoints'] == list(names.values()) and category['keypoints'][1] == 'thumb4'
    ours = {tuple(sorted((KEYPOINT_NAMES[a], KEYPOINT_NAMES[b]))) for a, b in BONES}
    assert {tuple(sorted(category['keypoints'][i - 1] for i in bone)) for bone in category['skeleton']} == ours
    first = load(root, 'test')[0]
    np.testing.assert_allclose(first['keypoints'][0], hand(5)[:, :2])


def test_visibility(root: Path) -> None:
    label = np.concatenate([hand(5, 15), hand(70)])  # of the right hand all but 10 keypoints are beyond x = 79
    write_part(root, 'evaluation', [label])
    rhd.main(root, num_val=1)
    marks = [
        np.reshape(a['keypoints'], (21, 3))[:, 2]
        for a in json.loads((root / 'annotations' / 'test.json').read_text())['annotations']
    ]
    assert marks[0].tolist() == [2] * 15 + [1] * 6
    assert marks[1].tolist() == [2] * 10 + [0] * 11


@pytest.mark.parametrize('left', ['keep', 'flip', 'skip'])
def test_left_hands(root: Path, left: str) -> None:
    rhd.main(root, left, num_val=1)
    test = load(root, 'test')
    sides = [d['raw_ann_info']['handedness'] for d in test]
    assert sides == dict(keep=['left', 'right', 'left'], flip=['right'] * 3, skip=['right'])[left]
    for d in test:  # every keypoint lies on the red that was drawn for it, mirrored or not
        image = cv2.imread(d['img_path'])
        assert (image[tuple(d['keypoints'][0].astype(int)[:, ::-1].T)] == [0, 0, 255]).all()
    assert (root / 'mirrored').exists() is (left == 'flip')


def test_missing_pictures_are_counted(root: Path) -> None:
    (root / 'evaluation' / 'color' / '00000.png').unlink()
    assert '2 skipped, no such image: evaluation/color/00000.png' in rhd.main(root, 'flip', num_val=1)


class _Malice:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 5])
@pytest.mark.parametrize('kind', ['open', 'eval', 'nested', 'array'])
def test_malicious_pickles_are_refused_and_not_run(root: Path, protocol: int, kind: str) -> None:
    mark = root / 'owned'
    malice = dict(open=_Malice(open, str(mark), 'w'), eval=_Malice(eval, f'open({str(mark)!r}, "w")'))
    malice['nested'] = {0: dict(uv_vis=[malice['open']])}
    malice['array'] = {0: dict(uv_vis=np.array([malice['open']], dtype=object))}
    path = root / 'evaluation' / 'anno_evaluation.pickle'
    path.write_bytes(pickle.dumps(malice[kind], protocol=protocol))
    with pytest.raises(ValueError, match=r'anno_evaluation.pickle: .* expected .*numbers.*, got [a-z_]+\.'):
        rhd.main(root)
    assert not mark.exists() and not (root / 'annotations').exists()
    pickle.loads(path.read_bytes())  # it would have worked
    assert mark.exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([1], 'expected a dictionary of images, got list'),
        ({0: dict(uv_vis=np.zeros((21, 3)))}, r'image 0: .*got float64 \(21, 3\)'),
        ({'a': dict(uv_vis=np.zeros((42, 3)))}, "image 'a': "),
        ({7: dict(xyz=np.zeros((42, 3)))}, 'image 7: .* got object'),
        ({7: dict(uv_vis=np.full((42, 3), np.nan))}, 'image 7: uv_vis: expected finite numbers'),
    ],
)
def test_labels_of_another_form(root: Path, content: Any, message: str) -> None:
    path = root / 'training' / 'anno_training.pickle'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=f'anno_training.pickle: {message}'):
        rhd.main(root)


def test_files_that_are_no_pickles_and_arguments(root: Path) -> None:
    path = root / 'training' / 'anno_training.pickle'
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match='expected a pickle of plain data, got '):
        rhd.main(root)
    path.unlink()
    with pytest.raises(FileNotFoundError, match='no such file; it comes with the set'):
        rhd.main(root)
    with pytest.raises(ValueError, match="left: expected one of .*, got 'both'"):
        rhd.main(root, 'both')
    with pytest.raises(ValueError, match='got 0, 11'):
        rhd.main(root, num_val=0)


def test_real_pictures_through_the_converter_and_the_config(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / 'real_samples' / 'rhd'
    published = json.loads((folder / 'test_rhd.json').read_text())
    pictures = {image['id']: image['file_name'] for image in published['images']}
    for part in ('training', 'evaluation'):
        (tmp_path / part / 'color').mkdir(parents=True)
        labels = {}
        for i, annotation in enumerate(published['annotations']):
            label = np.zeros((42, 3), np.float32)
            start = 0 if annotation['hand_type'] == 'left' else 21
            label[start : start + 21] = np.reshape(annotation['keypoints'], (21, 3))
            labels[i] = dict(uv_vis=label)
            picture = (folder / pictures[annotation['image_id']]).read_bytes()
            (tmp_path / part / 'color' / f'{i:05d}.png').write_bytes(picture)
        (tmp_path / part / f'anno_{part}.pickle').write_bytes(pickle.dumps(labels))
    assert 'converted 6, skipped 6 hands' in rhd.main(tmp_path, num_val=1)
    cfg = Config.fromfile(CONFIG)
    loader = cfg.test_dataloader.dataset
    for ann_file, root in ((folder / 'test_rhd.json', folder), (tmp_path / 'annotations' / 'test.json', tmp_path)):
        init_default_scope('mmpose')
        dataset = DATASETS.build(dict(loader, ann_file=str(ann_file), data_root='', data_prefix=dict(img=f'{root}/')))
        assert list(dataset.metainfo['keypoint_id2name'].values()) == KEYPOINT_NAMES
        assert len(dataset) == 3
        for i, annotation in enumerate(published['annotations']):
            found = dataset[i]['data_samples'].gt_instances.keypoints[0]
            theirs = np.reshape(annotation['keypoints'], (21, 3))[:, :2]
            np.testing.assert_allclose(found, to_our_order(theirs, 'rhd'), atol=1e-3)
            near, far = np.transpose(BONES)
            lengths, wrong = (np.linalg.norm(p[near] - p[far], axis=-1).sum() for p in (found, theirs))
            assert lengths < wrong  # bones join neighbours in our order only
