"""What a camera does to images, in batches: colour and tone, blur, resolution.

Letters: N images, C channels, h and w their size. Colours are BGR in 0…1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .geometry import pixel_grid

_GREY = torch.tensor([0.114, 0.587, 0.299])  # share of blue, green and red in brightness (ITU-R BT.601)


def adjust_color(images: Tensor, gain: Tensor, saturation: Tensor, contrast: Tensor, offset: Tensor) -> Tensor:
    """Apply exposure and white balance, then saturation, then contrast, in one matrix per image (N, 3, h, w).

    ``gain`` (N, 3), ``saturation`` and ``contrast`` (N,) are factors; ``offset`` (N, 1, 1) is added to all channels.
    """
    matrix = saturation[:, None, None] * torch.eye(3) + (1 - saturation)[:, None, None] * _GREY  # (N, 3, 3)
    matrix = (contrast[:, None, None] * matrix * gain[:, None]).to(images.device)
    return torch.baddbmm(offset.expand(-1, 3, 1), matrix, images.flatten(2)).clamp_(0, 1).view_as(images)


def bend_tones(images: Tensor, amount: Tensor) -> Tensor:
    """Lift (amount > 0) or lower the middle tones; 0 and 1 stay, order stays for amounts from -1 to 1.

    x + a·x·(1 - x): much like a gamma curve, at a tenth of the cost.
    """
    return torch.addcmul(images, amount * images, 1 - images)


def disc_kernels(radius: Tensor, reach: int) -> Tensor:
    """Kernels (N, k, k) of an image out of focus: discs of radius (N,) in pixels; k = 2·reach + 1."""
    x, y = _kernel_grid(reach, radius.device)
    return _normalize((radius[:, None, None] + 0.5 - (x * x + y * y).sqrt()).clamp(0, 1))


def line_kernels(half_length: Tensor, angle: Tensor, reach: int) -> Tensor:
    """Kernels (N, k, k) of motion: lines of half length (N,) in pixels and angle (N,) in radians; k = 2·reach + 1."""
    x, y = _kernel_grid(reach, half_length.device)
    half_length, cosine, sine = (v[:, None, None] for v in (half_length, angle.cos(), angle.sin()))
    along, across = (cosine * x + sine * y).abs(), (cosine * y - sine * x).abs()
    return _normalize((half_length + 0.5 - along).clamp(0, 1) * (1 - across).clamp(0, 1))


def _kernel_grid(reach: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """x (1, k) and y (k, 1) in pixels from the centre."""
    side = 2 * reach + 1
    x, y = pixel_grid(side, side, device)
    return x * (side / 2), y * (side / 2)


def _normalize(kernels: Tensor) -> Tensor:
    return kernels / kernels.sum((1, 2), keepdim=True)


def convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Blur images (N, C, h, w), each with its own kernel (N, k, k); k is odd. The border repeats."""
    n, c, h, w = images.shape
    k = kernels.shape[-1]
    weights = kernels.to(images.device)[:, None].expand(n, c, k, k).reshape(n * c, 1, k, k)
    padded = F.pad(images, (k // 2,) * 4, mode='replicate')
    return F.conv2d(padded.reshape(1, n * c, *padded.shape[2:]), weights, groups=n * c).view(n, c, h, w)


def coarsen(images: Tensor, size: Sequence[int]) -> Tensor:
    """Shrink images (N, C, h, w) to a size and enlarge them again."""
    return F.interpolate(F.interpolate(images, size, mode='area'), images.shape[2:], mode='bilinear')
