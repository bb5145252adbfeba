"""Puts a hand before a background: its tone, its edge, its shadow, another hand behind it, an object before it.

Letters: N samples, h and w the image's size. Colours are BGR in 0…1 and not multiplied by coverage.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from handkp_plugins.imaging.camera import bend_tones
from handkp_plugins.imaging.geometry import affine_matrices, box_blur, change_some, per_image, pixel_grid, warp_affine

from .batch_random import BatchRandom

_SHADOW_SHRINK = 4


@dataclass(frozen=True)
class Layering:
    """How a hand and a background meet. A share is that of the samples to which it happens, from 0 to 1.

    Args:
        match: Share of hands that take over a part of the background's brightness and colour, as light does; the
            others may stand out.
        gain, tint, contrast: Deviations of its brightness, of each channel besides, and of its contrast, as natural
            logarithms.
        bend: Largest bend of its tone curve, 0 to 1.
        soften: Share of hands with an edge that is blurred in part or whole.
        shadow: Share of hands that cast a shadow on what is behind.
        second_hand: Share of samples with the hand of another sample, smaller and away from the centre, behind it.
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

    def __call__(self, hand: Tensor, alpha: Tensor, background: Tensor, rng: BatchRandom) -> Tensor:
        """Hands (N, 3, h, w), coverage (N, 1, h, w) and backgrounds (N, 3, h, w) → images (N, 3, h, w).

        ``background`` may change.
        """
        background = self._add_second_hand(hand, alpha, background, rng)
        hand = self._tone(hand, alpha, background, rng)
        share = per_image(rng.uniform() * rng.chance(self.soften), alpha.device)
        alpha = torch.lerp(alpha, box_blur(alpha), share)
        background = self._cast_shadow(alpha, background, rng)
        return self._occlude(torch.lerp(background, hand, alpha), rng)

    def _tone(self, hand: Tensor, alpha: Tensor, background: Tensor, rng: BatchRandom) -> Tensor:
        """A gain per channel, a contrast about the hand's mean and a bent tone curve."""
        covered = alpha.sum((2, 3)).clamp(min=1)
        mean = ((hand * alpha).sum((2, 3)) / covered).clamp(min=0.02)  # (N, 3)
        light = background.mean((2, 3)).clamp(min=0.02)
        matched, brightness, color = (
            per_image(v, hand.device)[..., 0, 0]
            for v in (rng.chance(self.match).float(), rng.uniform(0.1, 0.7), rng.uniform(0.0, 0.4))
        )
        level = light.mean(1, keepdim=True)
        # a hand before something dark is darker, but seldom as dark
        darker = brightness * (level / mean.mean(1, keepdim=True)).log().clamp(-1.2, 0.7)
        cast = color * (light / level).log().clamp(-0.4, 0.4)
        own = torch.stack([rng.normal(self.tint) for _ in range(3)], 1) + rng.normal(self.gain)[:, None]
        gain = (own.to(hand.device) + matched * (darker + cast)).exp()  # (N, 3)
        gain = torch.minimum(gain, (0.85 / mean).clamp(min=1))[..., None, None]  # no hand becomes a white shape
        contrast = per_image(rng.normal(self.contrast).exp(), hand.device)
        middle = gain * mean[..., None, None]
        toned = torch.addcmul((1 - contrast) * middle, hand, gain * contrast).clamp_(0, 1)
        return bend_tones(toned, per_image(rng.uniform(-self.bend, self.bend), hand.device))

    def _add_second_hand(self, hand: Tensor, alpha: Tensor, background: Tensor, rng: BatchRandom) -> Tensor:
        who = rng.some(self.second_hand)
        zoom, mirror, angle = rng.uniform(1.4, 2.6), rng.chance(0.5), rng.uniform(0, 2 * math.pi)
        towards, distance = rng.uniform(0, 2 * math.pi), rng.uniform(0.6, 1.1)
        if not len(who):
            return background
        # the matrix leads from the image to the layer: its shift is the place's own, turned and zoomed
        at = torch.stack([distance * towards.cos(), distance * towards.sin()], 1)
        zero = torch.zeros_like(zoom)
        matrices = affine_matrices(zoom, angle, zero, zero, mirror)
        matrices[..., 2] = -(matrices[..., :2] @ at[..., None])[..., 0]
        other = ((who + 1) % rng.num).to(hand.device)
        layers = torch.cat([hand[other], alpha[other]], 1)
        layers = warp_affine(layers, matrices[who], *hand.shape[2:], 'zeros')
        return change_some(background, who, lambda chosen: torch.lerp(chosen, layers[:, :3], layers[:, 3:]))

    def _cast_shadow(self, alpha: Tensor, background: Tensor, rng: BatchRandom) -> Tensor:
        who = rng.some(self.shadow)
        strength, zoom = rng.uniform(0.15, 0.65), rng.uniform(0.85, 1.1)
        x, y = rng.normal(0.12), rng.normal(0.12)
        if not len(who):
            return background
        h, w = alpha.shape[2:]
        matrices = affine_matrices(zoom, torch.zeros_like(zoom), x, y)[who]
        strength = per_image(strength[who], alpha.device)
        size = (max(1, h // _SHADOW_SHRINK), max(1, w // _SHADOW_SHRINK))
        coarse = box_blur(box_blur(F.interpolate(alpha[who.to(alpha.device)], size, mode='area')))
        light = 1 - strength * warp_affine(coarse, matrices, h, w, 'border')
        return change_some(background, who, lambda chosen: chosen * light)

    def _occlude(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Bars, boxes and ellipses, plain or with the mirrored image as their texture."""
        who = rng.some(self.occluder)
        round_, bar = rng.chance(0.4), rng.chance(0.5)
        length, breadth = rng.uniform(0.12, 0.45), rng.uniform(0.6, 1.4)
        thickness = rng.log_uniform(0.03, 0.15)
        angle, towards, distance = rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi), rng.uniform(0.25, 1.0)
        color = torch.stack([rng.uniform(0.02, 0.98) for _ in range(3)], 1)
        muted, textured = rng.uniform(), rng.chance(0.4)
        if not len(who):
            return images
        device, (h, w) = images.device, images.shape[2:]
        half_x = torch.where(bar, 4 * length + 0.4, 0.6 * length)
        half_y = torch.where(bar, thickness, 0.6 * length * breadth)
        color = torch.lerp(color, color.mean(1, keepdim=True), muted[:, None])
        values = (half_x, half_y, angle.cos(), angle.sin(), distance * towards.cos(), distance * towards.sin())
        half_x, half_y, cosine, sine, centre_x, centre_y = (per_image(v[who], device) for v in values)
        x, y = pixel_grid(h, w, device)
        x, y = x - centre_x, y - centre_y
        u, v = ((cosine * x + sine * y) / half_x).abs(), ((cosine * y - sine * x) / half_y).abs()
        inside = 1 - torch.where(per_image(round_[who], device), (u * u + v * v).sqrt(), torch.maximum(u, v))
        # one pixel of transition
        share = (inside * torch.minimum(half_x, half_y) * (0.5 * min(h, w)) + 0.5).clamp(0, 1)
        flat = color[who].to(device)[..., None, None]
        use_texture = per_image(textured[who], device)

        def cover(chosen: Tensor) -> Tensor:
            return torch.lerp(chosen, torch.where(use_texture, chosen.flip(2, 3) * (0.4 + 0.6 * flat), flat), share)

        return change_some(images, who, cover)
