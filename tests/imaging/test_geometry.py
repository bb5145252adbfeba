"""Warps and means in cases worked out by hand."""

import torch

from handkp_plugins.imaging.geometry import affine_matrices, box_blur, warp_affine


def test_box_blur_by_hand() -> None:
    maps = torch.zeros(1, 1, 3, 3)
    maps[..., 0, 0] = 9
    assert box_blur(maps)[0, 0].tolist() == [[4, 2, 0], [2, 1, 0], [0, 0, 0]]


def test_warp_by_hand() -> None:
    image = torch.arange(16.0).view(1, 1, 4, 4)
    still, zero = torch.ones(1), torch.zeros(1)
    torch.testing.assert_close(warp_affine(image, affine_matrices(still, zero, zero, zero), 4, 4, 'zeros'), image)
    mirror = affine_matrices(still, zero, zero, zero, torch.tensor([True]))
    torch.testing.assert_close(warp_affine(image, mirror, 4, 4, 'zeros'), image.flip(3), atol=1e-4, rtol=0)
    move = affine_matrices(still, zero, zero + 0.5, zero)  # half of 2 is a pixel of 4
    moved = warp_affine(image, move, 4, 4, 'zeros')
    torch.testing.assert_close(moved[0, 0, :, :3], image[0, 0, :, 1:], atol=1e-4, rtol=0)
