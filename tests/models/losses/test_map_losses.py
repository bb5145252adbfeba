"""Softmax loss against values worked out by hand."""

import math

import pytest
import torch

from handkp_plugins.models.losses import SoftmaxHeatmapLoss


def test_flat_logits_by_hand() -> None:
    """Uniform over 4×2 positions against a peak at x = 0, y = 1: log 8 + 0.1 (|1.5 - 0| + |0.5 - 1|)."""
    target = torch.zeros(1, 1, 2, 4)
    target[0, 0, 1, 0] = 0.3  # any height: only its shape counts
    loss = SoftmaxHeatmapLoss()(torch.zeros(1, 1, 2, 4), target, torch.ones(1, 1))
    assert loss.item() == pytest.approx(math.log(8) + 0.1 * 2.0)


def test_weights_and_mean_over_all_maps() -> None:
    target = torch.zeros(2, 2, 2, 2)
    target[..., 0, 0] = 1
    target[1, 1] = 0  # an empty target counts as 0
    weights = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    one = math.log(4)
    output = torch.zeros(2, 2, 2, 2)
    assert SoftmaxHeatmapLoss(l1_weight=0)(output, target, weights).item() == pytest.approx(1.5 * one / 4)
    unweighted = SoftmaxHeatmapLoss(l1_weight=0, use_target_weight=False, loss_weight=2.0)
    assert unweighted(output, target, weights).item() == pytest.approx(2 * 3 * one / 4)


def test_gradient_is_zero_at_the_target_and_without_weight() -> None:
    target = torch.rand(1, 2, 4, 4) + 0.1
    output = target.log().requires_grad_()
    SoftmaxHeatmapLoss(l1_weight=0)(output, target, torch.ones(1, 2)).backward()
    assert output.grad.abs().max() < 1e-7
    output = torch.randn(1, 2, 4, 4, requires_grad=True)
    SoftmaxHeatmapLoss()(output, target, torch.tensor([[1.0, 0.0]])).backward()
    assert output.grad[0, 0].abs().max() > 0 and output.grad[0, 1].abs().max() == 0


def test_bfloat16_and_huge_logits() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[0, 0, 3, 3] = 1
    for scale, dtype in ((1e4, torch.bfloat16), (6e4, torch.float16)):
        output = (torch.randn(1, 1, 8, 8) * scale).clamp(-6e4, 6e4).to(dtype).requires_grad_()
        with torch.autocast('cpu', torch.bfloat16):
            loss = SoftmaxHeatmapLoss()(output, target.to(dtype), torch.ones(1, 1))
        loss.backward()
        assert loss.dtype == torch.float32 and loss.isfinite() and output.grad.isfinite().all()


def test_errors() -> None:
    with pytest.raises(ValueError, match=r'output: .* \(1, 1, 2, 2\), got \(1, 1, 4, 4\)'):
        SoftmaxHeatmapLoss()(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match='l1_weight: expected a number from 0, got -1'):
        SoftmaxHeatmapLoss(l1_weight=-1)
