"""Muon for convolutions, AdamW for all other parameters."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from mmpose.registry import OPTIMIZERS
from torch import Tensor

# Quintic iteration of Jordan (2024) that takes singular values to about 1: those near 0 fast, none exactly.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_RMS_OF_ADAMW = 0.2


@OPTIMIZERS.register_module()
class MuonAdamW(torch.optim.AdamW):
    """AdamW that steps the weights of spatial convolutions by Muon (Jordan, 2024, kellerjordan.github.io/posts/muon).

    Muon replaces the momentum of a convolution, as a matrix of its first dimension × all others, by the nearest matrix
    with equal singular values. Its step has the root mean square of AdamW's steps (Liu et al., 2025, arXiv 2502.16982),
    so that one learning rate and one weight decay serve both. ``torch.optim.Muon`` takes matrices only.

    AdamW steps all other parameters: 1×1 convolutions, norms and biases. In a network of depthwise convolutions the 1×1
    convolutions mix the channels: ``pointwise`` gives those to Muon, and the depthwise ones to AdamW.

    Args:
        params: Parameters or groups of them.
        momentum: Share of the past in Muon's (Nesterov) momentum, 0 to below 1.
        ns_steps: Newton-Schulz iterations.
        pointwise: Step all convolutions but depthwise ones by Muon, instead of all but 1×1 ones.
        **kwargs: Arguments of ``torch.optim.AdamW``.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict],
        momentum: float = 0.9,
        ns_steps: int = 5,
        pointwise: bool = False,
        **kwargs: Any,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f'momentum: expected a number from 0 to below 1, got {momentum}')
        if ns_steps < 1:
            raise ValueError(f'ns_steps: expected an integer from 1, got {ns_steps}')
        groups = list(params)
        if groups and not isinstance(groups[0], dict):
            groups = [dict(params=groups)]
        split = []
        for group in groups:
            members = [group['params']] if isinstance(group['params'], Tensor) else list(group['params'])
            for muon in (False, True):
                chosen = [p for p in members if (_mixes(p) if pointwise else _is_spatial(p)) is muon]
                if chosen:
                    split.append(dict(group, params=chosen, muon=muon))
        super().__init__(split or groups, **kwargs)
        self.momentum, self.ns_steps = momentum, ns_steps
        # Fused AdamW unscales float16 gradients itself; Muon needs them unscaled before.
        self._step_supports_amp_scaling = False

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Take one step of both."""
        groups = self.param_groups
        try:
            self.param_groups = [g for g in groups if not g.get('muon')]
            loss = super().step(closure)
        finally:
            self.param_groups = groups
        for group in groups:
            if group.get('muon'):
                self._muon(group)
        return loss

    @torch.no_grad()
    def _muon(self, group: dict[str, Any]) -> None:
        alike = defaultdict(list)  # many small products take longer than one of a batch
        for p in group['params']:
            if p.grad is not None:
                alike[p.shape, p.device, p.grad.dtype].append(p)
        for members in alike.values():
            momenta = torch.stack([self._momentum(p).flatten(1) for p in members])
            scale = _RMS_OF_ADAMW * max(momenta.shape[1:]) ** 0.5
            for p, direction in zip(members, orthogonalize(momenta, self.ns_steps), strict=True):
                p.mul_(1 - group['lr'] * group['weight_decay'])
                p.add_(direction.reshape(p.shape), alpha=-group['lr'] * scale)

    def _momentum(self, p: Tensor) -> Tensor:
        """Update the Nesterov momentum of a convolution."""
        state = self.state[p]
        if not state:
            state['step'] = torch.zeros(())  # AdamW looks for it where it loads a state
            state['momentum_buffer'] = torch.zeros_like(p)
        state['step'] += 1
        buffer = state['momentum_buffer'].lerp_(p.grad, 1 - self.momentum)
        return p.grad.lerp(buffer, self.momentum)


def orthogonalize(matrices: Tensor, steps: int = 5) -> Tensor:
    """Return (…, m, n) matrices with about the same singular vectors and singular values near 1.

    The iteration X ← (a + b XXᵀ + c (XXᵀ)²) X runs on XXᵀ in single precision, and its factors are multiplied into X
    once, because kernels are many times longer than wide.
    """
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = (matrices if wide else matrices.mT).float()
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=1e-7)
    gram = x @ x.mT
    one = torch.eye(gram.shape[-1], device=gram.device)
    product = factor = _factor(gram, one)
    for _ in range(steps - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram, one)
        product = factor @ product
    x = product @ x
    return (x if wide else x.mT).to(matrices.dtype)


def _factor(gram: Tensor, one: Tensor) -> Tensor:
    """The factor of X in one iteration."""
    return _A * one + _B * gram + _C * gram @ gram


def _is_spatial(p: Tensor) -> bool:
    """Whether a parameter is the weight of a convolution larger than 1×1."""
    return p.ndim == 4 and p.shape[2] * p.shape[3] > 1


def _mixes(p: Tensor) -> bool:
    """Whether a parameter is the weight of a convolution that mixes several channels into several."""
    return p.ndim == 4 and min(p.shape[:2]) > 1
