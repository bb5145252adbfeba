import json
import os

import numpy as np
import pytest
from helpers.keypoint_sample import keypoint_sample as make_sample
from mmpose.registry import METRICS

from handkp_plugins.evaluation import MPJPEAtThreshold, PixelPCK

# 0, 4, 5 and 30 pixels are labelled; the keypoint that is off by 1000 pixels is not
SAMPLES = [make_sample([0, 5, 1000], [1, 1, 0]), make_sample([30, 4, 1000], [1, 0.5, 0])]


def evaluate(metric, samples=SAMPLES) -> dict:
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_pck_by_hand():
    assert evaluate(METRICS.build(dict(type='PixelPCK'))) == {'PCK@5px': 0.5, 'PCK@10px': 0.75, 'PCK@20px': 0.75}


def test_mpjpe_by_hand():
    assert evaluate(METRICS.build(dict(type='MPJPEAtThreshold', thresholds=[5, 10]))) == {
        'MPJPE@5px': 2,
        'N@5px': 2,
        'MPJPE@10px': 3,
        'N@10px': 3,
        'N': 4,
    }


def test_mean_square_by_hand():
    crops = [
        make_sample([0, 2, 99], [1, 1, 0], (128, 128)),
        make_sample([4], [1], (512, 512)),
    ]  # 0, 4 and 2 px of crops
    assert evaluate(METRICS.build(dict(type='PixelMSE')), crops)['MSE'] == pytest.approx((0 + 16 + 4) / 3)
    assert evaluate(METRICS.build(dict(type='PixelMSE', space='image')))['MSE'] == (0 + 16 + 25 + 900) / 4
    assert np.isnan(evaluate(METRICS.build(dict(type='PixelMSE')), [make_sample([3], [0])])['MSE'])
    with pytest.raises(TypeError, match='thresholds'):
        METRICS.build(dict(type='PixelMSE', thresholds=(5,)))


def test_input_space_scales_distances_by_the_crop():
    samples = [
        make_sample([4], [1], (128, 128)),
        make_sample([4], [1], (512, 512)),
    ]  # 8 and 2 pixels of a 256 crop
    assert evaluate(PixelPCK(space='input'), samples)['PCK@5px'] == 0.5
    assert evaluate(MPJPEAtThreshold(space='input'), samples)['MPJPE@10px'] == pytest.approx(5)


def test_visibility_with_a_weight_channel():
    sample = make_sample([0, 9], [1, 0])
    visible = sample['gt_instances']['keypoints_visible']
    sample['gt_instances']['keypoints_visible'] = np.stack([visible, np.ones_like(visible)], axis=-1)
    assert evaluate(PixelPCK(), [sample])['PCK@5px'] == 1


def test_curve_file(tmp_path):
    path = tmp_path / 'deep' / 'curve.json'
    evaluate(PixelPCK(curve_file=str(path)))
    curve = json.loads(path.read_text())
    assert curve['thresholds'] == list(range(1, 51))
    assert [curve['pck'][t - 1] for t in (1, 4, 5, 6, 30, 31)] == [0.25, 0.25, 0.5, 0.75, 0.75, 1]
    assert curve['labelled'] == 4 and curve['space'] == 'image'
    assert os.listdir(path.parent) == ['curve.json']


def test_no_labelled_keypoint_is_nan():
    scores = evaluate(MPJPEAtThreshold(), [make_sample([3], [0])])
    assert np.isnan(scores['MPJPE@5px']) and scores['N'] == 0


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(thresholds=[]), r'thresholds: expected one or more positive numbers, got \[\]'),
        (dict(thresholds=[5, 0]), r'thresholds: expected one or more positive numbers, got \[5, 0\]'),
        (dict(space='screen'), r"space: expected one of \('image', 'input'\), got 'screen'"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PixelPCK(**kwargs)
