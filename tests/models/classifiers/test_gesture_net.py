"""GestureNet and what normalises its keypoints."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from handkp_plugins.models.classifiers import GestureNet
from handkp_plugins.models.data_preprocessors import GesturePreprocessor


def test_shapes_and_parameters_of_table_3():
    net = GestureNet(num_classes=35)
    assert net(torch.rand(4, 21, 2)).shape == (4, 35)
    sizes = {name: tuple(p.shape) for name, p in net.named_parameters() if name.endswith('weight')}
    assert list(sizes.values()) == [(16, 1, 1, 7), (16, 16, 1, 7), (128, 21 * 16), (35, 128)]


def test_every_parameter_learns_and_scores_may_be_negative():
    net = MODELS.build(dict(type='GestureNet', num_classes=3))
    batch = dict(inputs=torch.randn(8, 21, 2), labels=torch.randint(0, 3, (8,)))
    losses = net(**net.data_preprocessor(batch, True), mode='loss')
    losses['loss'].backward()
    assert losses['loss'].isfinite() and all(p.grad.abs().sum() > 0 for p in net.parameters())
    net.classifier[-1].bias.data.fill_(-5)
    assert net.eval()(batch['inputs']).max() < 0


def test_only_without_the_mean_x_and_y_are_told_apart():
    points = torch.rand(4, 21, 2)
    for mean in (True, False):
        net = GestureNet(num_classes=3, mean_of_coordinates=mean).eval()
        assert torch.allclose(net(points), net(points.flip(-1)), atol=1e-6) is mean


def test_predictions_are_probabilities():
    net = GestureNet(num_classes=3).eval()
    found = net(torch.randn(2, 21, 2), labels=torch.tensor([2, 0]), mode='predict')
    assert [f['gt_label'] for f in found] == [2, 0]
    for one in found:
        assert one['pred_scores'].sum().item() == pytest.approx(1) and one['pred_scores'][one['pred_label']] > 1 / 3


@pytest.mark.parametrize('scale', ['max_abs', 'bone'])
def test_size_and_place_do_not_matter(scale):
    points = torch.rand(3, 21, 2)
    prepare = GesturePreprocessor(scale)
    own, moved = (prepare(dict(inputs=p))['inputs'] for p in (points, 350 * points + torch.tensor([40.0, -7.0])))
    assert torch.allclose(own, moved, atol=1e-4) and (own[:, 0] == 0).all()
    if scale == 'max_abs':
        assert torch.allclose(own.abs().amax((1, 2)), torch.ones(3))
    else:
        assert torch.allclose((own[:, 6] - own[:, 5]).norm(dim=1), torch.ones(3))


def test_a_bone_that_points_at_the_camera_does_not_blow_the_hand_up():
    points = torch.rand(1, 21, 2)
    points[:, 6] = points[:, 5]
    assert GesturePreprocessor('bone')(dict(inputs=points))['inputs'].abs().max() <= 20


def test_the_scale_comes_with_the_weights():
    trained, read = GestureNet(3, data_preprocessor=dict(type='GesturePreprocessor', scale='bone')), GestureNet(3)
    read.load_state_dict(trained.state_dict())
    points = dict(inputs=torch.rand(2, 21, 2))
    assert torch.equal(read.data_preprocessor(points)['inputs'], trained.data_preprocessor(points)['inputs'])
    assert read.data_preprocessor.scale == 'bone'


def test_a_step_does_not_wait_for_the_scale():
    prepare = GesturePreprocessor('bone')
    prepare.scale_index = None  # reading a number from a GPU waits for all that it was told to do
    assert (prepare(dict(inputs=torch.rand(1, 21, 2)), True)['inputs'][:, 0].abs() < 1e-6).all()


def test_training_turns_and_mirrors_and_testing_does_not():
    torch.manual_seed(0)
    points = torch.randn(500, 1, 2).expand(500, 21, 2) * torch.linspace(0, 1, 21)[None, :, None]  # along a line
    mirrored = GesturePreprocessor('none', mirror=1.0)
    assert torch.allclose(mirrored(dict(inputs=points), True)['inputs'], points * torch.tensor([-1.0, 1]))
    turning = GesturePreprocessor('none', rotation=10.0)
    assert torch.equal(turning(dict(inputs=points), False)['inputs'], points)
    turned = turning(dict(inputs=points), True)['inputs']
    angles = [np.arctan2(p[:, 20, 1], p[:, 20, 0]).numpy() for p in (points, turned)]
    change = np.degrees((angles[1] - angles[0] + np.pi) % (2 * np.pi) - np.pi)
    assert change.std() == pytest.approx(10, rel=0.1) and abs(change.mean()) < 2
    assert torch.allclose(turned.norm(dim=-1), points.norm(dim=-1), atol=1e-5)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: GesturePreprocessor('width'), 'scale: expected one of'),
        (lambda: GesturePreprocessor(mirror=2), 'mirror: expected a number from 0 to 1, got 2'),
        (lambda: GesturePreprocessor(noise=-1), 'noise: expected a number from 0, got -1'),
        (lambda: GesturePreprocessor()(dict(inputs=torch.rand(2, 20, 2))), r'expected \(N, 21, 2\), got \(2, 20, 2\)'),
        (lambda: GestureNet(num_classes=1), 'num_classes: expected an integer from 2'),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
