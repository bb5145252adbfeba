"""Puts a hand before a background: its tone, its edge, its shadow, another hand behind it, an object before it.

Letters: N samples, h and w the picture's size. Colours are BGR in 0…1 and not multiplied by coverage.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .draws import Draws
from .geometry import axes, column, neighbours, placement, warp

_SHADOW_SHRINK = 4


@dataclass(frozen=True)
class Layering:
    """How a hand and a background meet. A share is that of the samples to which it happens, from 0 to 1.

    Args:
        match: Share of hands that take over a part of the background's brightness and colour, as light does; the
            others may stand out.
        gain: Deviation of the hand's brightness, as a natural logarithm.
        tint: Deviation of each of its channels beside that.
        bend: Largest bend of its tone curve, 0 to 1.
        contrast: Deviation of its contrast, as a natural logarithm.
        soften: Share of hands with an edge that is blurred in part or whole.
        shadow: Share of hands that cast a shadow on what is behind.
        second_hand: Share of samples with the hand of another sample, smaller and away from the centre, behind.
        occluder: Share of samples with a shape before the hand. What it hides stays labelled.
    """

    match: float = 0.5
    gain: float = 0.15
    tint: float = 0.04
    bend: float = 0.35
    contrast: float = 0.15
    soften: float = 0.6
    shadow: float = 0.3
    second_hand: float = 0.15
    occluder: float = 0.15

    def mild(self) -> 'Layering':
        """For evaluation: a sample depends on no other, and nothing hides the hand."""
        return replace(self, gain=0.5 * self.gain, bend=0.5 * self.bend, second_hand=0.0, occluder=0.0)

    def __call__(self, hand: Tensor, alpha: Tensor, behind: Tensor, draws: Draws) -> Tensor:
        """Hands (N, 3, h, w), coverage (N, 1, h, w) and backgrounds (N, 3, h, w) → pictures (N, 3, h, w).

        ``behind`` may be changed.
        """
        behind = self._add_second_hand(hand, alpha, behind, draws)
        hand = self._tone(hand, alpha, behind, draws)
        share = column(draws.uniform() * draws.chance(self.soften), alpha.device)
        alpha = torch.lerp(alpha, neighbours(alpha), share)
        behind = self._cast_shadow(alpha, behind, draws)
        return self._occlude(torch.lerp(behind, hand, alpha), draws)

    def _tone(self, hand: Tensor, alpha: Tensor, behind: Tensor, draws: Draws) -> Tensor:
        """A gain per channel, a contrast about the hand's mean and a bent tone curve."""
        covered = alpha.sum((2, 3)).clamp(min=1)
        mean = ((hand * alpha).sum((2, 3)) / covered).clamp(min=0.02)  # (N, 3)
        light = behind.mean((2, 3)).clamp(min=0.02)
        matched, brightness, color = (
            column(v, hand.device)[..., 0, 0]
            for v in (draws.chance(self.match).float(), draws.uniform(0.1, 0.7), draws.uniform(0.0, 0.4))
        )
        level = light.mean(1, keepdim=True)
        # a hand before something dark is darker, but seldom as dark
        darker = brightness * (level / mean.mean(1, keepdim=True)).log().clamp(-1.2, 0.7)
        cast = color * (light / level).log().clamp(-0.4, 0.4)
        own = torch.stack([draws.normal(self.tint) for _ in range(3)], 1) + draws.normal(self.gain)[:, None]
        gain = (own.to(hand.device) + matched * (darker + cast)).exp()  # (N, 3)
        gain = torch.minimum(gain, (0.85 / mean).clamp(min=1))[..., None, None]  # no hand becomes a white shape
        contrast = column(draws.normal(self.contrast).exp(), hand.device)
        middle = gain * mean[..., None, None]
        toned = torch.addcmul((1 - contrast) * middle, hand, gain * contrast).clamp_(0, 1)
        return bend(toned, column(draws.uniform(-self.bend, self.bend), hand.device))

    def _add_second_hand(self, hand: Tensor, alpha: Tensor, behind: Tensor, draws: Draws) -> Tensor:
        who = draws.some(self.second_hand)
        zoom, mirror, turned = draws.uniform(1.4, 2.6), draws.chance(0.5), draws.uniform(0, 2 * math.pi)
        towards, distance = draws.uniform(0, 2 * math.pi), draws.uniform(0.6, 1.1)
        if not len(who):
            return behind
        # the matrix leads from the picture to the layer: its shift is the place's own, turned and zoomed
        at = torch.stack([distance * towards.cos(), distance * towards.sin()], 1)
        zero = torch.zeros_like(zoom)
        matrices = placement(zoom, turned, zero, zero, mirror)
        matrices[..., 2] = -(matrices[..., :2] @ at[..., None])[..., 0]
        other = ((who + 1) % draws.num).to(hand.device)
        layers = torch.cat([hand[other], alpha[other]], 1)
        layers = warp(layers, matrices[who], *hand.shape[2:], 'zeros')
        who = who.to(hand.device)
        behind[who] = torch.lerp(behind[who], layers[:, :3], layers[:, 3:])
        return behind

    def _cast_shadow(self, alpha: Tensor, behind: Tensor, draws: Draws) -> Tensor:
        who = draws.some(self.shadow)
        strength, zoom = draws.uniform(0.15, 0.65), draws.uniform(0.85, 1.1)
        x, y = draws.normal(0.12), draws.normal(0.12)
        if not len(who):
            return behind
        h, w = alpha.shape[2:]
        matrices = placement(zoom, torch.zeros_like(zoom), x, y)[who]
        strength = column(strength[who], alpha.device)
        who = who.to(alpha.device)
        size = (max(1, h // _SHADOW_SHRINK), max(1, w // _SHADOW_SHRINK))
        coarse = neighbours(neighbours(F.interpolate(alpha[who], size, mode='area')))
        behind[who] *= 1 - strength * warp(coarse, matrices, h, w, 'border')
        return behind

    def _occlude(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Bars, boxes and ellipses, plain or with the mirrored picture as their texture."""
        who = draws.some(self.occluder)
        round_, bar = draws.chance(0.4), draws.chance(0.5)
        length, breadth = draws.uniform(0.12, 0.45), draws.uniform(0.6, 1.4)
        thickness = draws.log_uniform(0.03, 0.15)
        angle, towards, distance = draws.uniform(0, math.pi), draws.uniform(0, 2 * math.pi), draws.uniform(0.25, 1.0)
        color = torch.stack([draws.uniform(0.02, 0.98) for _ in range(3)], 1)
        muted, textured = draws.uniform(), draws.chance(0.4)
        if not len(who):
            return pictures
        device, (h, w) = pictures.device, pictures.shape[2:]
        half_x = torch.where(bar, 4 * length + 0.4, 0.6 * length)
        half_y = torch.where(bar, thickness, 0.6 * length * breadth)
        color = torch.lerp(color, color.mean(1, keepdim=True), muted[:, None])
        values = (half_x, half_y, angle.cos(), angle.sin(), distance * towards.cos(), distance * towards.sin())
        half_x, half_y, cosine, sine, centre_x, centre_y = (column(v[who], device) for v in values)
        x, y = axes(h, w, device)
        x, y = x - centre_x, y - centre_y
        u, v = ((cosine * x + sine * y) / half_x).abs(), ((cosine * y - sine * x) / half_y).abs()
        inside = 1 - torch.where(column(round_[who], device), (u * u + v * v).sqrt(), torch.maximum(u, v))
        # one pixel of transition
        share = (inside * torch.minimum(half_x, half_y) * (0.5 * min(h, w)) + 0.5).clamp(0, 1)
        flat = color[who].to(device)[..., None, None]
        use_texture = column(textured[who], device)
        who = who.to(device)
        below = pictures[who]
        surface = torch.where(use_texture, below.flip(2, 3) * (0.4 + 0.6 * flat), flat)
        pictures[who] = torch.lerp(below, surface, share)
        return pictures


def bend(pictures: Tensor, amount: Tensor) -> Tensor:
    """Lift (amount > 0) or lower the middle tones; 0 and 1 stay, order stays for amounts from -1 to 1.

    x + a·x·(1 - x): much like a gamma curve, at a tenth of the cost.
    """
    return torch.addcmul(pictures, amount * pictures, 1 - pictures)
