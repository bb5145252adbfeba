import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

import handkp_plugins  # noqa: F401  (registers the data set)
from handkp_plugins.engine.experiments.mean_pose import evaluate_mean_pose, mean_pose


def two_hands(folder: Path, labelled: int = 21) -> BaseDataset:
    """All keypoints of a hand in one place: at (1/4, 1/2) of the first box and at (3/4, 1/2) of the second."""
    images, annotations = [], []
    for i, (bbox, point) in enumerate([([10, 20, 40, 20], (20, 30)), ([0, 0, 80, 80], (60, 40))]):
        cv2.imwrite(str(folder / f'{i}.png'), np.zeros((100, 100, 3), np.uint8))
        images.append(dict(id=i, file_name=f'{i}.png', width=100, height=100))
        keypoints = [[*point, 1 if k < labelled else 0] for k in range(21)]
        annotations.append(
            dict(id=i, image_id=i, category_id=1, iscrowd=0, bbox=bbox, area=1, num_keypoints=21,
                 keypoints=np.ravel(keypoints).tolist())
        )  # fmt: skip
    ann_file = folder / 'ann.json'
    ann_file.write_text(json.dumps(dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand')])))
    init_default_scope('mmpose')
    pipeline = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'), dict(type='PackPoseInputs')]
    return DATASETS.build(
        dict(type='HGR1Dataset', ann_file=str(ann_file), data_prefix=dict(img=str(folder)), pipeline=pipeline,
             test_mode=True)
    )  # fmt: skip


def test_mean_pose_and_its_scores(tmp_path: Path):
    dataset = two_hands(tmp_path)
    pose = mean_pose(dataset)
    np.testing.assert_allclose(pose, [[0.5, 0.5]] * 21, atol=1e-6)
    # it finds (30, 30) and (40, 40): 10 and 20 px off, a quarter of each box's longer side
    metrics = [dict(type='EPE'), dict(type='PCKAccuracy', thr=0.26), dict(type='PixelPCK', thresholds=(15,))]
    scores = evaluate_mean_pose(pose, dataset, metrics)
    assert scores['EPE'] == pytest.approx(15)
    assert scores['PCK'] == pytest.approx(1)
    assert scores['PCK@15px'] == pytest.approx(0.5)
    assert evaluate_mean_pose(pose, dataset, [dict(type='PCKAccuracy', thr=0.24)])['PCK'] == 0


def test_a_keypoint_never_labelled(tmp_path: Path):
    with pytest.raises(ValueError, match=r'keypoints: expected a label of each in 2 samples, got none of \[19, 20\]'):
        mean_pose(two_hands(tmp_path, labelled=19))
