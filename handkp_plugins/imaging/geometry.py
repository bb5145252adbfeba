"""Coordinates, warps and means over neighbours in batches, each image with its own parameters.

Letters: N images, C channels, h and w their size. Coordinates run from -1 to 1 across the image.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def pixel_grid(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """x (1, w) and y (h, 1) of the pixels' centres."""
    x = (torch.arange(width, device=device) + 0.5) * (2 / width) - 1
    y = (torch.arange(height, device=device) + 0.5) * (2 / height) - 1
    return x[None], y[:, None]


def per_image(values: Tensor, device: torch.device) -> Tensor:
    """Numbers (N,) as (N, 1, 1, 1) on a device, to broadcast with images."""
    return values.to(device, non_blocking=True).view(-1, 1, 1, 1)


def change_some(images: Tensor, who: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a change to the images at some indices, in place."""
    if len(who):
        who = who.to(images.device)
        images[who] = change(images[who])
    return images


def affine_matrices(zoom: Tensor, angle: Tensor, x: Tensor, y: Tensor, mirror: Tensor | None = None) -> Tensor:
    """Matrices (N, 2, 3) from a place in the result to that in the source; all arguments are (N,).

    The result shows ``zoom`` of the source across (below 1 enlarges), with its centre at ``x`` and ``y``.
    """
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    side = 1 - 2 * mirror.float() if mirror is not None else torch.ones_like(zoom)
    return torch.stack([side * cosine, -sine, x, side * sine, cosine, y], 1).view(-1, 2, 3)


def warp_affine(images: Tensor, matrices: Tensor, height: int, width: int, padding_mode: str) -> Tensor:
    """Images (N, C, ·, ·) seen through matrices (N, 2, 3) → (N, C, h, w); the mode is ``grid_sample``'s."""
    m = matrices.to(images.device, non_blocking=True)[..., None, None]  # (N, 2, 3, 1, 1)
    x, y = pixel_grid(height, width, images.device)
    # torch's affine_grid multiplies matrices of three columns for this, at several times the cost
    grid = torch.empty(len(images), height, width, 2, device=images.device)
    for i in range(2):
        torch.add(m[:, i, 0] * x + m[:, i, 2], m[:, i, 1] * y, out=grid[..., i])
    return F.grid_sample(images, grid, padding_mode=padding_mode, align_corners=False)


def box_blur(images: Tensor) -> Tensor:
    """Mean (N, C, h, w) over 3×3 pixels; ``avg_pool2d`` takes more than twice as long."""
    padded = F.pad(images, (1, 1, 1, 1), mode='replicate')
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
