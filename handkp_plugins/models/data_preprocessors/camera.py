"""What a camera, and whoever passes its pictures on, does to them: light, tone, blur, size, noise, compression.

Letters: N pictures, n of them chosen, h and w their size. Colours are BGR in 0…1.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .draws import Draws
from .geometry import axes, column, convolve
from .jpeg import compress
from .layering import bend

_GREY = torch.tensor([0.114, 0.587, 0.299])
"""Share of blue, green and red in brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class Camera:
    """Photometric change. A share is that of the samples to which it happens, from 0 to 1.

    Args:
        exposure: Deviation of brightness, as a natural logarithm.
        balance: Deviation of each channel, likewise.
        contrast: Deviation of contrast, likewise.
        hard_contrast: Share of pictures with 1.5 to 2.5 times the contrast besides, so that shadows and lights clip.
        saturation: Deviation of the saturation.
        grey: Share of pictures without colour.
        bend: Largest bend of the tone curve, 0 to 1.
        uneven: Share of pictures whose light falls off to a side or corner.
        defocus: Share of pictures out of focus.
        motion: Share of pictures blurred along a line.
        blur: Largest radius of both, as a share of the width.
        low_resolution: Share of pictures taken up to four times smaller and enlarged.
        noise: Share of pictures with noise.
        noise_level: Smallest and largest deviation of the noise.
        jpeg: Share of pictures with traces of compression.
        jpeg_quality: Lowest and highest quality of these, 1 to 100.
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

    def mild(self) -> 'Camera':
        """For evaluation: a decent camera, whose pictures nobody has spoilt."""
        none = dict.fromkeys(('hard_contrast', 'grey', 'uneven', 'defocus', 'motion', 'low_resolution', 'jpeg'), 0.0)
        shares = {k: 0.4 * getattr(self, k) for k in ('exposure', 'balance', 'contrast', 'saturation', 'bend')}
        return replace(self, noise_level=(self.noise_level[0], 2 * self.noise_level[0]), **none, **shares)

    def __call__(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Pictures (N, 3, h, w) as the camera gives them; the input may be changed."""
        for step in (self.color, self.light, self.blurring, self.resolution, self.noising, self.compression):
            pictures = step(pictures, draws)
        return pictures

    def color(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Exposure, white balance, saturation and contrast in one matrix per picture; then the tone curve."""
        gain = torch.stack([draws.normal(self.balance) for _ in range(3)], 1) + draws.normal(self.exposure)[:, None]
        saturation = (1 + draws.normal(self.saturation)).clamp(0.1, 1.6) * ~draws.chance(self.grey)
        contrast = draws.normal(self.contrast).exp()
        hard, harder = draws.chance(self.hard_contrast), draws.uniform(1.5, 2.5)
        middle, amount = draws.uniform(0.35, 0.65), draws.uniform(-self.bend, self.bend)
        contrast = contrast * torch.where(hard, harder, 1.0)
        matrix = saturation[:, None, None] * torch.eye(3) + (1 - saturation)[:, None, None] * _GREY  # (N, 3, 3)
        matrix = contrast[:, None, None] * matrix * gain.exp()[:, None]
        device = pictures.device
        # contrast turns about a grey between the picture's own and any: seldom does all of it clip
        middle = 0.5 * (column(middle, device) + pictures.mean((1, 2, 3), keepdim=True))[..., 0]  # (N, 1, 1)
        offset = (middle * (1 - contrast.to(device)[:, None, None])).expand(-1, 3, 1)
        changed = torch.baddbmm(offset, matrix.to(device), pictures.flatten(2)).clamp_(0, 1)
        return bend(changed.view_as(pictures), column(amount, device))

    def light(self, pictures: Tensor, draws: Draws) -> Tensor:
        """A brightness at each corner, and what lies between them."""
        who = draws.some(self.uneven)
        corners = torch.stack([draws.normal(0.35) for _ in range(4)], 1).exp()
        if len(who):
            corners = corners[who].view(-1, 1, 2, 2).to(pictures.device)
            who = who.to(pictures.device)
            falloff = F.interpolate(corners, pictures.shape[2:], mode='bilinear', align_corners=True)
            pictures[who] = (pictures[who] * falloff).clamp_(0, 1)
        return pictures

    def blurring(self, pictures: Tensor, draws: Draws) -> Tensor:
        """A disc with a soft edge (defocus) or a line (motion) for each picture that is blurred."""
        reach = self.blur * pictures.shape[3]
        kind = draws.uniform()
        radius, angle = draws.uniform(0.15, 1.0) * reach, draws.uniform(0, math.pi)
        who = (kind < self.defocus + self.motion).nonzero().flatten()
        if len(who):
            kernels = blur_kernels(radius[who], angle[who], (kind < self.motion)[who], math.ceil(reach))
            who = who.to(pictures.device)
            pictures[who] = convolve(pictures[who], kernels)
        return pictures

    def resolution(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Fewer pixels, and as many again. The chosen of a batch share one factor, that of the first."""
        who, factor = draws.some(self.low_resolution), draws.log_uniform(1.2, 4.0)
        if len(who):
            size, shrink = pictures.shape[2:], float(factor[who[0]])
            who = who.to(pictures.device)
            small = F.interpolate(pictures[who], [max(1, round(n / shrink)) for n in size], mode='area')
            pictures[who] = F.interpolate(small, size, mode='bilinear')
        return pictures

    def noising(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Noise in brightness, or in each channel for itself."""
        level = column(draws.log_uniform(*self.noise_level) * draws.chance(self.noise), pictures.device)
        colored = column(draws.chance(0.5), pictures.device)
        h, w = pictures.shape[2:]
        noise = level * draws.noise(h, w)
        # the same field from elsewhere looks like another one, and need not be drawn
        noise = torch.cat(
            [noise] + [torch.where(colored, noise.roll((h // i, w // 3), (2, 3)), noise) for i in (2, 3)], 1
        )
        return pictures.add_(noise).clamp_(0, 1)

    def compression(self, pictures: Tensor, draws: Draws) -> Tensor:
        """JPEG's loss."""
        who, quality = draws.some(self.jpeg), draws.uniform(*self.jpeg_quality)
        if len(who):
            quality = quality[who].to(pictures.device)
            who = who.to(pictures.device)
            pictures[who] = compress(pictures[who], quality)
        return pictures


def blur_kernels(radius: Tensor, angle: Tensor, motion: Tensor, reach: int) -> Tensor:
    """Kernels (n, k, k) of sum 1, k = 2·reach + 1.

    Args:
        radius: (n,) of the disc, or half the line's length, in pixels.
        angle: (n,) of the line in radians.
        motion: (n,) whether it is a line.
    """
    side = 2 * reach + 1
    x, y = axes(side, side, radius.device)
    x, y = x * (side / 2), y * (side / 2)  # pixels from the centre
    radius, cosine, sine = (v[:, None, None] for v in (radius, angle.cos(), angle.sin()))
    along, across = (cosine * x + sine * y).abs(), (cosine * y - sine * x).abs()
    disc = (radius + 0.5 - (x * x + y * y).sqrt()).clamp(0, 1)
    line = (radius + 0.5 - along).clamp(0, 1) * (1 - across).clamp(0, 1)
    kernels = torch.where(motion[:, None, None], line, disc)
    return kernels / kernels.sum((1, 2), keepdim=True)
