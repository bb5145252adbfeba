"""Camera effects in cases worked out by hand."""

import pytest
import torch

from handkp_plugins.imaging.camera import adjust_color, bend_tones, convolve, disc_kernels, line_kernels


def test_blur_kernels_sum_to_one_and_keep_flat_images() -> None:
    discs = disc_kernels(torch.tensor([0.1, 2.0]), 3)
    lines = line_kernels(torch.tensor([3.0, 3.0]), torch.tensor([0.0, torch.pi / 2]), 3)  # level and upright
    kernels = torch.cat([discs, lines])
    assert kernels.shape == (4, 7, 7)
    torch.testing.assert_close(kernels.sum((1, 2)), torch.ones(4))
    torch.testing.assert_close(torch.stack([lines[0, 3].sum(), lines[1, :, 3].sum()]), torch.ones(2))
    torch.testing.assert_close(discs[1], discs[1].T)
    flat = torch.full((4, 3, 9, 11), 0.3)
    torch.testing.assert_close(convolve(flat, kernels), flat)
    dot = torch.zeros(4, 1, 9, 9)
    dot[:, :, 4, 4] = 1
    torch.testing.assert_close(convolve(dot, kernels)[:, 0, 1:8, 1:8], kernels)


def test_tone_curve_keeps_black_white_and_order() -> None:
    x = torch.linspace(0, 1, 9).view(1, 1, 1, 9).expand(3, 1, 1, 9)
    bent = bend_tones(x, torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1))
    assert (bent.diff(dim=-1) >= 0).all() and (bent[..., 0] == 0).all() and (bent[..., -1] == 1).all()
    assert bent[:, 0, 0, 4].tolist() == [0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    'gain, saturation, contrast, offset, expected',
    [
        ((1, 1, 1), 1, 1, 0.0, (0.2, 0.4, 0.6)),
        ((2, 1, 0.5), 1, 1, 0.1, (0.5, 0.5, 0.4)),
        ((1, 1, 1), 0, 1, 0.0, (0.437, 0.437, 0.437)),  # 0.114 B + 0.587 G + 0.299 R
        ((1, 1, 1), 1, 2, -0.5, (0.0, 0.3, 0.7)),  # about mid grey, and clipped
    ],
)
def test_colors_by_hand(gain, saturation, contrast, offset, expected) -> None:
    image = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    numbers = (
        torch.tensor([gain], dtype=torch.float),
        torch.tensor([float(saturation)]),
        torch.tensor([float(contrast)]),
    )
    result = adjust_color(image, *numbers, torch.full((1, 1, 1), offset))
    assert result[0, :, 0, 0].tolist() == pytest.approx(expected, abs=1e-3)
