import json
from pathlib import Path

import cv2
import mmpose
import numpy as np
import pytest
from helpers.paths import ROOT
from mmpose.registry import DATASETS

from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file
from handkp_plugins.datasets.hand import SyntheticHandDataset
from handkp_plugins.datasets.transforms import LoadHandImage, PackHandInputs


@pytest.fixture
def synthetic(tmp_path):
    """A miniature of what tools/make_synthetic.py writes; returns the content of its annotation file and its path."""
    (tmp_path / 'images').mkdir()
    cv2.imwrite(str(tmp_path / 'images' / '000000.jpg'), np.zeros((32, 48, 3), np.uint8))
    keypoints = [[2 * k, k, (2, 1, 0)[k % 3]] for k in range(21)]
    data = dict(
        images=[
            dict(
                id=7,
                file_name='images/000000.jpg',
                width=48,
                height=32,
                camera=dict(K=[[60, 0, 24], [0, 60, 16], [0, 0, 1]]),
            )
        ],
        annotations=[
            dict(
                id=3,
                image_id=7,
                category_id=1,
                iscrowd=0,
                bbox=[2, 2, 40, 20],
                area=800,
                num_keypoints=14,
                keypoints=sum(keypoints, []),
                keypoints_3d=[[0.01 * k, 0, 0.4] for k in range(21)],
                handedness='left',
                gesture='fist',
            )
        ],
        categories=[dict(id=1, name='hand')],
    )
    return data, tmp_path / 'annotations.json'


def _build(data, path) -> SyntheticHandDataset:
    path.write_text(json.dumps(data))
    return DATASETS.build(
        dict(
            type='SyntheticHandDataset',
            ann_file=path.name,
            data_root=str(path.parent),
            data_prefix=dict(img=''),
            pipeline=[LoadHandImage(), PackHandInputs()],
        )
    )


def test_synthetic_sample(synthetic):
    dataset = _build(*synthetic)
    assert check_keypoint_file(str(synthetic[1])) == len(dataset) == 1
    info = dataset.get_data_info(0)
    assert info['keypoints'].shape == (1, 21, 2) and info['keypoints_3d'].shape == (1, 21, 3)
    assert info['keypoints_visible'][0, :3].tolist() == [1, 1, 0]  # visible, hidden by the hand, outside the image
    assert info['keypoints_3d'][0, 20].tolist() == pytest.approx([0.2, 0, 0.4])
    assert info['camera'][0].tolist() == [60, 0, 24]
    sample = dataset[0]['data_samples']
    assert (sample.handedness, sample.gesture, sample.keypoints_3d.shape) == ('left', 'fist', (1, 21, 3))


@pytest.mark.parametrize(
    'where, change, message',
    [
        (
            'annotations',
            dict(keypoints_3d=[[0, 0, 1]] * 20),
            r'keypoints_3d of shape \(21, 3\), got \(20, 3\)',
        ),
        ('annotations', dict(handedness='up'), "expected handedness 'left' or 'right', got 'up'"),
        ('annotations', dict(gesture=None), "expected 'gesture', as tools/make_synthetic.py writes it, got none"),
        ('images', dict(camera=dict(K=[1, 2])), r'expected camera K of shape \(3, 3\), got \(2,\)'),
        ('images', dict(camera=None), "expected 'camera', .* got none"),
    ],
)
def test_synthetic_errors_name_file_and_annotation(where, change, message, synthetic):
    data, path = synthetic
    data[where][0].update(change)
    data[where][0] = {k: v for k, v in data[where][0].items() if v is not None}
    with pytest.raises(ValueError, match=rf'annotations\.json: annotation 3: .*{message}'):
        _build(data, path)


@pytest.mark.parametrize('name, dataset_name', [('SyntheticHandDataset', 'synthetic_hand'), ('HGR1Dataset', 'hgr1')])
def test_metainfo_is_onehand10ks(name, dataset_name):
    onehand10k = DATASETS.get('OneHand10KDataset')(lazy_init=True).metainfo
    metainfo = DATASETS.get(name)(lazy_init=True).metainfo
    assert metainfo['dataset_name'] == dataset_name
    for key in ('keypoint_id2name', 'skeleton_links', 'flip_indices', 'num_keypoints'):
        assert metainfo[key] == onehand10k[key], key


def test_our_configs_do_not_shadow_mmposes_metainfo():
    """MMPose's data sets look up ``configs/_base_/datasets/NAME.py`` below the current folder before their own."""
    theirs = Path(mmpose.__file__).parent / '.mim' / 'configs' / '_base_' / 'datasets'
    ours = ROOT / 'configs' / '_base_' / 'datasets'
    assert not {p.name for p in ours.glob('*.py')} & {p.name for p in theirs.glob('*.py')}
