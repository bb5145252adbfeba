"""The metric of 3D hands by hand, also where processes repeat samples."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample

from handkp_plugins.datasets.transforms import PackHandInputs
from handkp_plugins.evaluation import HandMeshMetric


def points(number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.04, (1, number, 3)) + [0, 0, 0.5]


def sample(number: int = 0, error: float = 0.0, vertices: int | None = None, predicted_vertices: int | None = None):
    """A hand whose joint 4 is ``error`` metres off, in another place, of the network's type."""
    truth = points(21, number)
    predicted = truth - [0, 0, 0.5]
    predicted[0, 4, 1] += error
    predictions = dict(keypoints_3d=torch.tensor(predicted, dtype=torch.float32))
    more = {}
    if vertices:
        more['vertices'] = points(vertices, number + 100)[0]
        predictions['vertices'] = more['vertices'][None, :predicted_vertices] + 0.01
    return dict(
        img_id=number, id=number, img_path=f'{number}.jpg', keypoints_3d=truth, pred_instances=predictions, **more
    )


def score(samples: list[dict], **arguments: object) -> dict[str, float]:
    metric = METRICS.build(dict(type='HandMeshMetric', **arguments))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_one_joint_of_two_hands():
    """21 mm at one joint of 21, in one hand of two; Procrustes spreads it out a little."""
    scores = score([sample(0), sample(1, error=0.021)])
    assert set(scores) == {'MPJPE', 'PA-MPJPE', 'N-JE', 'AUC'}
    assert scores['MPJPE'] == pytest.approx(0.5, abs=1e-4) and scores['N-JE'] == pytest.approx(0.5, abs=1e-4)
    assert 0.4 < scores['PA-MPJPE'] < 1.5 and 0.97 < scores['AUC'] < 1


def test_size_and_place_count_where_they_should():
    big = sample()
    big['pred_instances']['keypoints_3d'] *= 2
    scores = score([big])
    assert scores['MPJPE'] > 30 and scores['PA-MPJPE'] < 1e-3 and scores['N-JE'] < 1e-3
    assert scores['AUC'] == pytest.approx(1, abs=0.006)


def test_vertices():
    """All of a mesh moved alike: aligned by themselves they are right, with the joints' alignment 17 mm off."""
    scores = score([sample(0, vertices=50), sample(1, vertices=50)])
    assert scores['PA-VE'] < 1e-6 and scores['F@5'] == scores['F@15'] == 1
    moved = sample(0, vertices=50)
    moved['pred_instances']['vertices'][0, 0] += 0.1
    assert 0 < score([moved])['PA-VE'] < 20 and score([moved])['F@5'] < 1


def test_a_mesh_of_another_kind_is_moved_as_the_joints():
    """The first 40 of 50 vertices, 0.5 m nearer, as the joints: each is where a true one is."""
    other = sample(0, vertices=50, predicted_vertices=40)
    other['pred_instances']['vertices'] -= [0.01, 0.01, 0.51]
    scores = score([other])
    assert 'PA-VE' not in scores
    assert scores['F@5'] == pytest.approx(2 * 0.8 / 1.8, abs=0.03)  # a few true ones are near others by chance


def test_other_predictions_of_the_sample():
    hand = sample()
    hand['pred_instances']['fused_keypoints_3d'] = hand['pred_instances']['keypoints_3d'] * 1.5
    scores = score([hand], field='fused_keypoints_3d', prefix='fused')
    assert scores['fused/MPJPE'] > 5 and scores['fused/N-JE'] < 1e-3
    hand['vertices'] = points(30, 5)[0]
    hand['pred_instances']['fused_vertices'] = points(30, 5)
    assert score([hand], field='fused_keypoints_3d')['PA-VE'] < 1e-9 and 'PA-VE' not in score([hand])


@pytest.mark.parametrize('size', [1, 2, 13])
@pytest.mark.parametrize('repeated', [0, 1, 5])
def test_repeated_samples_count_once(size, repeated):
    """A sampler of groups may pad anywhere, so that MMEngine must not cut the results by their place."""
    samples = [sample(i, error=0.001 * i) for i in range(size)]
    alone = score(samples)
    dealt = [samples[i % size] for i in range(repeated)] + samples
    metric = HandMeshMetric()
    metric.process({}, dealt)
    assert metric.evaluate(size) == pytest.approx(alone)


def test_hands_of_one_image_and_images_of_two_sets_count_apart():
    first, second = sample(0), sample(1, error=0.021)
    expected = score([first, second])['MPJPE']
    for same in (('img_id', 'img_path'), ('img_id', 'id')):
        assert score([first, second | {key: first[key] for key in same}])['MPJPE'] == pytest.approx(expected)


def test_a_not_a_number_is_no_success():
    broken = sample()
    broken['pred_instances']['keypoints_3d'][0, 3] = float('nan')
    scores = score([broken, sample(1)])
    assert np.isinf(scores['PA-MPJPE']) and scores['AUC'] == pytest.approx(0.5, abs=0.006)


def test_samples_as_the_pipeline_packs_them():
    results = dict(
        img=np.zeros((8, 8, 3), np.uint8), img_id=3, id=5, img_path='a.jpg', keypoints_3d=points(21, 0),
        vertices=points(30, 1)[0],
    )  # fmt: skip
    packed: PoseDataSample = PackHandInputs().transform(results)['data_samples']
    packed.pred_instances = InstanceData(keypoints_3d=torch.tensor(points(21, 0)), vertices=torch.tensor(points(30, 1)))
    assert score([packed.to_dict()])['PA-VE'] < 1e-6


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(keypoints_3d=None), 'image 0.jpg: keypoints_3d: expected in the sample, got '),
        (dict(img_id=None), 'image 0.jpg: img_id: expected in the sample, got '),
        (dict(pred_instances=dict(keypoints=1)), 'keypoints_3d: expected in pred_instances, got keypoints'),
        (dict(keypoints_3d=np.zeros((1, 20, 3))), r'keypoints_3d: expected shape \(1, 21, 3\), got \(1, 20, 3\)'),
        (dict(keypoints_3d=np.full((1, 21, 3), np.nan)), 'keypoints_3d: expected finite true coordinates'),
    ],
)
def test_bad_samples(change, message):
    changed = {key: value for key, value in (sample() | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        score([changed])


def test_vertices_of_some_samples_only():
    with pytest.raises(ValueError, match='vertices: expected in all samples or in none, got in 1 of 2'):
        score([sample(0, vertices=30), sample(1)])


def test_a_field_of_another_name():
    with pytest.raises(ValueError, match="field: expected a name that ends in keypoints_3d, got 'keypoints'"):
        HandMeshMetric(field='keypoints')
