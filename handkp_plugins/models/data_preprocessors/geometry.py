"""Coordinates, warps and sums over neighbours, each sample with its own parameters.

Letters: N samples, C channels, h and w the picture's size. Coordinates run from -1 to 1 across the picture.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def column(values: Tensor, device: torch.device) -> Tensor:
    """Numbers (N,) as (N, 1, 1, 1) on a device, ready to meet pictures."""
    return values.to(device, non_blocking=True).view(-1, 1, 1, 1)


def axes(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """x (1, w) and y (h, 1) of the pixels' centres."""
    x = (torch.arange(width, device=device) + 0.5) * (2 / width) - 1
    y = (torch.arange(height, device=device) + 0.5) * (2 / height) - 1
    return x[None], y[:, None]


def placement(zoom: Tensor, angle: Tensor, x: Tensor, y: Tensor, mirror: Tensor | None = None) -> Tensor:
    """Matrices (N, 2, 3) that lead from a place in the result to that in the source.

    Args:
        zoom: (N,) how much of the source the result shows across: below 1 enlarges.
        angle: (N,) radians.
        x: (N,) where in the source the result's centre lies, and ``y`` likewise.
        mirror: (N,) whether left and right change places.
    """
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    side = 1 - 2 * mirror.float() if mirror is not None else torch.ones_like(zoom)
    return torch.stack([side * cosine, -sine, x, side * sine, cosine, y], 1).view(-1, 2, 3)


def warp(pictures: Tensor, matrices: Tensor, height: int, width: int, outside: str) -> Tensor:
    """Pictures (N, C, ·, ·) seen through matrices (N, 2, 3) → (N, C, h, w).

    Args:
        outside: What lies beyond the source's border: 'zeros', 'border' or 'reflection'.
    """
    m = matrices.to(pictures.device, non_blocking=True)[..., None, None]  # (N, 2, 3, 1, 1)
    x, y = axes(height, width, pictures.device)
    # torch's affine_grid multiplies matrices of three columns for this, at several times the cost
    grid = torch.empty(len(pictures), height, width, 2, device=pictures.device)
    for i in range(2):
        torch.add(m[:, i, 0] * x + m[:, i, 2], m[:, i, 1] * y, out=grid[..., i])
    return F.grid_sample(pictures, grid, padding_mode=outside, align_corners=False)


def neighbours(maps: Tensor) -> Tensor:
    """Mean (N, C, h, w) over 3×3 pixels."""
    padded = F.pad(maps, (1, 1, 1, 1), mode='replicate')
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def convolve(pictures: Tensor, kernels: Tensor) -> Tensor:
    """Pictures (N, C, h, w), each with its own kernel (N, k, k); k is odd. The border repeats."""
    n, c, h, w = pictures.shape
    k = kernels.shape[-1]
    weights = kernels.to(pictures.device)[:, None].expand(n, c, k, k).reshape(n * c, 1, k, k)
    padded = F.pad(pictures, (k // 2,) * 4, mode='replicate')
    return F.conv2d(padded.reshape(1, n * c, *padded.shape[2:]), weights, groups=n * c).view(n, c, h, w)
