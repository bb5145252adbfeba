"""HTT's loss against values worked out by hand."""

import math

import pytest
import torch

from handkp_plugins.models.losses import HTTLoss


def inputs(joints: int = 21, valid: tuple[int, ...] = (4, 1), length: int = 4) -> dict[str, torch.Tensor]:
    """Clips that are 1 px and 10 mm off everywhere, with flat logits of 8 objects and 36 actions."""
    labels = torch.rand(len(valid), length, joints, 3)
    return dict(
        pixels=labels + torch.tensor([1.0, -1.0, 0.01]),
        pixel_labels=labels,
        joint_weights=torch.ones(len(valid), length, joints),
        object_logits=torch.zeros(len(valid), length, 8),
        object_labels=torch.arange(len(valid)),
        action_logits=torch.zeros(len(valid), 36),
        action_labels=torch.arange(len(valid)),
        valid=torch.arange(length) < torch.tensor(valid)[:, None],
    )


def pose(losses: dict[str, torch.Tensor]) -> float:
    return float(losses['loss_pixel'] + losses['loss_depth'])


@pytest.mark.parametrize('valid', [(4, 4), (4, 1), (2, 3)])
@pytest.mark.parametrize('weights', [dict(), dict(lambdas=(200, 0.5))])
def test_pose_by_hand(valid: tuple[int, ...], weights: dict) -> None:
    """1 px and 10 mm everywhere cost 2.0, with padding too; the paper's weights are the same."""
    losses = HTTLoss(**weights)(**inputs(valid=valid))
    assert pose(losses) == pytest.approx(2.0, abs=1e-5)
    assert losses['loss_object'].item() == pytest.approx(math.log(8))
    assert losses['loss_action'].item() == pytest.approx(math.log(36))


def test_the_papers_normalizer_divides_by_the_clips_length() -> None:
    losses = HTTLoss(normalizer='clip')(**inputs(valid=(4, 1)))
    assert pose(losses) == pytest.approx(2.0 * 5 / 8, abs=1e-5)
    assert losses['loss_object'].item() == pytest.approx(math.log(8) * 5 / 8)


def test_weights_by_hand() -> None:
    losses = HTTLoss(pixel_weight=3, depth_weight=10, object_weight=0.5, action_weight=2)(**inputs())
    values = [losses[f'loss_{name}'].item() for name in ('pixel', 'depth', 'object', 'action')]
    assert values == pytest.approx([3, 0.1, math.log(8) / 2, 2 * math.log(36)], abs=1e-5)


def test_an_absent_hand_weighs_nothing() -> None:
    """The left hand is absent from one of five valid frames: nine of ten hands are left."""
    data = inputs(joints=42)
    data['joint_weights'][0, 2, :21] = 0
    assert pose(HTTLoss()(**data)) == pytest.approx(2.0 * 9 / 10, abs=1e-5)


def test_padding_may_be_anything_and_has_no_gradient() -> None:
    data = inputs(valid=(4, 1))
    expected = HTTLoss()(**data)
    outputs = {name: data[name].clone() for name in ('pixels', 'object_logits')}
    for output in outputs.values():
        output[1, 1:] = float('nan')
        output.requires_grad_()
    losses = HTTLoss()(**data | outputs)
    assert {k: v.item() for k, v in losses.items()} == pytest.approx({k: v.item() for k, v in expected.items()})
    sum(losses.values()).backward()
    assert (outputs['pixels'].grad[1, 1:] == 0).all() and (outputs['pixels'].grad[0] != 0).all()


def test_no_valid_frame_divides_by_one() -> None:
    assert pose(HTTLoss()(**inputs(valid=(0, 0)))) == 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(depth_weight=-1), 'depth_weight: expected a number from 0, got -1'),
        (dict(normalizer='mean'), r"normalizer: expected one of \('valid', 'clip'\), got 'mean'"),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HTTLoss(**arguments)
