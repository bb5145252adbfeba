"""HaMuCo's losses on true hands in several views."""

import pytest
import torch
from helpers.hand_views import seen_hands

from handkp_plugins.models.layers import align_views
from handkp_plugins.models.losses import HaMuCoLoss
from handkp_plugins.models.losses.hamuco_loss import UNIT, Hands

FRAMES, VIEWS = 2, 4


def losses(
    single: Hands, cross: Hands | None, rotations: torch.Tensor | None, iteration: int = 0, **options: bool
) -> dict:
    labels, sure = single.projected.detach(), torch.ones(len(single.points), 21)
    return HaMuCoLoss()(single, cross, labels, sure, VIEWS, rotations, iteration, **options)


def spoiled(hands: Hands, amount: float = 0.01, seed: int = 3) -> Hands:
    noise = torch.randn(hands.points.shape, generator=torch.Generator().manual_seed(seed))
    return hands._replace(points=(hands.points + amount * noise).requires_grad_())


@pytest.mark.parametrize('known', [True, False])
@pytest.mark.parametrize('iteration', [0, 1])
def test_true_views_agree(known: bool, iteration: int) -> None:
    hands, rotations = seen_hands(FRAMES, VIEWS)
    found = losses(hands, hands, rotations if known else None, iteration)
    assert found['loss_consistency'] < 1e-5 and found['loss_distillation'] < 1e-5
    assert found['loss_2d'] == 0 and found['loss_2d_cross'] == 0
    assert found['smallest_scale'].item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize('iteration', [0, 1])
def test_wrong_cameras_do_not_agree(iteration: int) -> None:
    hands, rotations = seen_hands(FRAMES, VIEWS)
    found = losses(hands, hands, rotations.mT, iteration)
    assert found['loss_consistency'] > 0.01 and found['loss_distillation'] > 0.01


def test_2d_loss_counts_all_keypoints_whatever_their_confidence() -> None:
    hands, rotations = seen_hands(FRAMES, VIEWS)
    sure = torch.full((FRAMES * VIEWS, 21), 0.5)
    found = HaMuCoLoss()(hands, None, hands.projected - 0.1, sure, VIEWS, rotations, 0)
    assert found['loss_2d'].item() == pytest.approx(0.05, abs=1e-6)
    assert set(found) == {'loss_2d', 'loss_prior'}


def test_even_iterations_do_not_move_the_target() -> None:
    """The gradient is that of distances from constants; of one pair of views, it goes to the aligned one alone."""
    hands, rotations = seen_hands(1, VIEWS)
    cross = spoiled(hands)
    (gradient,) = torch.autograd.grad(losses(hands, cross, rotations, 0)['loss_consistency'], cross.points)
    targets = cross.points.detach().unflatten(0, (1, VIEWS)) / UNIT
    source = targets.clone().requires_grad_()
    aligned, _ = align_views(source, rotations[None])
    distances = (aligned - targets[:, :, None])[..., :2].abs()
    (expected,) = torch.autograd.grad(distances.mean(), source, retain_graph=True)
    assert torch.allclose(gradient, expected[0] / UNIT, atol=1e-9)
    (of_pair,) = torch.autograd.grad(distances[:, 0, 1].mean(), source)
    assert of_pair[0, 1].any() and not of_pair[0, [0, 2, 3]].any()


def test_odd_iterations_move_each_view_to_the_fused_hand_alone() -> None:
    hands, rotations = seen_hands(1, VIEWS)
    cross = spoiled(hands)
    found = losses(hands, cross, rotations, 1)
    (gradient,) = torch.autograd.grad(found['loss_consistency'], cross.points)
    count = gradient.numel()
    assert torch.allclose(gradient.abs() * count * 0.2, torch.ones_like(gradient), atol=1e-3)  # the sign, nothing more


def test_the_teacher_does_not_learn_from_its_pupil() -> None:
    hands, rotations = seen_hands(FRAMES, VIEWS)
    single, cross = spoiled(hands), spoiled(hands, seed=4)
    found = losses(single, cross, rotations)
    taught = torch.autograd.grad(found['loss_distillation'], (single.points, cross.points), allow_unused=True)
    assert taught[0].any() and taught[1] is None


def test_views_do_not_teach_before_they_may() -> None:
    hands, rotations = seen_hands(FRAMES, VIEWS)
    assert 'loss_consistency' not in losses(hands, hands, rotations, teach=False)


def test_priors_are_those_of_both_networks() -> None:
    hands, _ = seen_hands(1, VIEWS)
    rest = hands._replace(rotations=torch.eye(3).expand(VIEWS, 16, 3, 3), shape=torch.full((VIEWS, 10), -2.0))
    assert losses(rest, rest, None)['loss_prior'].item() == pytest.approx(2.0, abs=1e-6)
    angle = torch.tensor(0.4)
    bent = torch.eye(3).repeat(VIEWS, 16, 1, 1)
    bent[..., 0, 0], bent[..., 1, 1] = angle.cos(), angle.cos()
    bent[..., 0, 1], bent[..., 1, 0] = -angle.sin(), angle.sin()
    found = losses(rest._replace(rotations=bent), rest, None)['loss_prior'].item()
    assert found == pytest.approx(2.0 + 0.01 * 0.4 / 3, abs=1e-6)


@pytest.mark.parametrize('iteration', [0, 1])
def test_two_processes_have_the_gradient_of_one(iteration: int) -> None:
    """Each process has one of two frames, and gradients are averaged."""
    hands, rotations = seen_hands(2, VIEWS)
    cross, labels = spoiled(hands), hands.projected + 0.1

    def gradient(images: slice) -> torch.Tensor:
        def part(of: Hands) -> Hands:
            return Hands(*(field[images] for field in of))

        sure = torch.ones(2 * VIEWS, 21)[images]
        found = HaMuCoLoss()(part(hands), part(cross), labels[images], sure, VIEWS, rotations[images], iteration)
        total = sum(value for name, value in found.items() if name.startswith('loss'))
        return torch.autograd.grad(total, cross.points)[0]

    one, other = gradient(slice(0, VIEWS)), gradient(slice(VIEWS, None))
    assert torch.allclose(gradient(slice(None)), (one + other) / 2, atol=1e-9)


def test_disagreeing_views_are_told() -> None:
    hands, rotations = seen_hands(1, VIEWS)
    flipped = hands._replace(points=hands.points.clone())
    flipped.points[1] *= -1
    assert losses(hands, flipped, rotations)['smallest_scale'] < -0.5


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match='distillation: expected a weight from 0, got -1'):
        HaMuCoLoss(distillation=-1)
