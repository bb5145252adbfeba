"""Random camera effects on a batch in training: light, tone, blur, resolution, noise, compression.

Letters: N images, n of them chosen, h and w their size. Colours are BGR in 0…1.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from handkp_plugins.imaging.camera import adjust_color, bend_tones, coarsen, convolve, disc_kernels, line_kernels
from handkp_plugins.imaging.geometry import change_some, per_image
from handkp_plugins.imaging.jpeg import jpeg_compress

from .batch_random import BatchRandom


@dataclass(frozen=True)
class CameraAugmentation:
    """Random photometric change. A share is that of the samples to which it happens, from 0 to 1.

    Args:
        exposure, balance, contrast: Deviations of brightness, of each channel and of contrast, as natural logarithms.
        hard_contrast: Share of images with 1.5 to 2.5 times the contrast besides, so that shadows and lights clip.
        saturation: Deviation of the saturation.
        grey: Share of images without colour.
        bend: Largest bend of the tone curve, 0 to 1.
        uneven: Share of images whose light falls off to a side or corner.
        defocus, motion: Shares of images out of focus and with motion blur.
        blur: Largest radius of both, as a share of the width.
        low_resolution: Share of images that are shrunk up to four times and enlarged again.
        noise, noise_level: Share of images with noise, and its smallest and largest deviation.
        jpeg, jpeg_quality: Share of images with traces of compression, and its lowest and highest quality, 1 to 100.
    """

    exposure: float = 0.22
    balance: float = 0.05
    contrast: float = 0.2
    hard_contrast: float = 0.08
    saturation: float = 0.25
    grey: float = 0.05
    bend: float = 0.4
    uneven: float = 0.2
    defocus: float = 0.25
    motion: float = 0.12
    blur: float = 0.02
    low_resolution: float = 0.2
    noise: float = 0.5
    noise_level: tuple[float, float] = (0.004, 0.06)
    jpeg: float = 0.3
    jpeg_quality: tuple[float, float] = (12, 75)

    def __post_init__(self) -> None:
        for name, least, most in (('noise_level', 1e-6, 1.0), ('jpeg_quality', 1.0, 100.0)):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(f'{name}: expected two ascending numbers from {least:g} to {most:g}, got {low, high}')
        if self.defocus + self.motion > 1:
            raise ValueError(f'defocus + motion: expected up to 1 in all, got {self.defocus} + {self.motion}')

    def mild(self) -> 'CameraAugmentation':
        """For evaluation: a decent camera and untouched files."""
        none = dict.fromkeys(('hard_contrast', 'grey', 'uneven', 'defocus', 'motion', 'low_resolution', 'jpeg'), 0.0)
        shares = {k: 0.4 * getattr(self, k) for k in ('exposure', 'balance', 'contrast', 'saturation', 'bend')}
        return replace(self, noise_level=(self.noise_level[0], 2 * self.noise_level[0]), **none, **shares)

    def __call__(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Change images (N, 3, h, w), perhaps in place."""
        for step in (self.color, self.light, self.blurring, self.resolution, self.noising, self.compression):
            images = step(images, rng)
        return images

    def color(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Exposure, white balance, saturation and contrast; then the tone curve."""
        gain = torch.stack([rng.normal(self.balance) for _ in range(3)], 1) + rng.normal(self.exposure)[:, None]
        saturation = (1 + rng.normal(self.saturation)).clamp(0.1, 1.6) * ~rng.chance(self.grey)
        contrast = rng.normal(self.contrast).exp()
        hard, harder = rng.chance(self.hard_contrast), rng.uniform(1.5, 2.5)
        middle, amount = rng.uniform(0.35, 0.65), rng.uniform(-self.bend, self.bend)
        contrast = contrast * torch.where(hard, harder, 1.0)
        # contrast turns about a grey between the image's own and any: seldom does all of it clip
        middle = 0.5 * (per_image(middle, images.device) + images.mean((1, 2, 3), keepdim=True))[..., 0]  # (N, 1, 1)
        offset = middle * (1 - contrast.to(images.device)[:, None, None])
        changed = adjust_color(images, gain.exp(), saturation, contrast, offset)
        return bend_tones(changed, per_image(amount, images.device))

    def light(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """A brightness at each corner, interpolated between them."""
        who = rng.some(self.uneven)
        corners = torch.stack([rng.normal(0.35) for _ in range(4)], 1).exp()[who].view(-1, 1, 2, 2).to(images.device)
        size = images.shape[2:]

        def shade(chosen: Tensor) -> Tensor:
            return (chosen * F.interpolate(corners, size, mode='bilinear', align_corners=True)).clamp_(0, 1)

        return change_some(images, who, shade)

    def blurring(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Defocus or motion blur."""
        reach = self.blur * images.shape[3]
        kind = rng.uniform()
        radius, angle = rng.uniform(0.15, 1.0) * reach, rng.uniform(0, math.pi)
        who = (kind < self.defocus + self.motion).nonzero().flatten()
        radius, side, motion = radius[who], math.ceil(reach), (kind < self.motion)[who, None, None]
        kernels = torch.where(motion, line_kernels(radius, angle[who], side), disc_kernels(radius, side))
        return change_some(images, who, lambda chosen: convolve(chosen, kernels))

    def resolution(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Fewer pixels, enlarged. The chosen of a batch share one factor, that of the first."""
        who, factor = rng.some(self.low_resolution), rng.log_uniform(1.2, 4.0)

        def shrink(chosen: Tensor) -> Tensor:
            return coarsen(chosen, [max(1, round(n / float(factor[who[0]]))) for n in chosen.shape[2:]])

        return change_some(images, who, shrink)

    def noising(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """Noise in brightness, or in each channel for itself."""
        level = per_image(rng.log_uniform(*self.noise_level) * rng.chance(self.noise), images.device)
        colored = per_image(rng.chance(0.5), images.device)
        h, w = images.shape[2:]
        noise = level * rng.noise(h, w)
        # the same field, shifted, looks like another one, and need not be drawn
        others = [torch.where(colored, noise.roll((h // i, w // 3), (2, 3)), noise) for i in (2, 3)]
        return images.add_(torch.cat([noise, *others], 1)).clamp_(0, 1)

    def compression(self, images: Tensor, rng: BatchRandom) -> Tensor:
        """JPEG's loss."""
        who, quality = rng.some(self.jpeg), rng.uniform(*self.jpeg_quality)
        return change_some(images, who, lambda chosen: jpeg_compress(chosen, quality[who].to(images.device)))
