"""P-MSDSNet: shapes, its equations by hand, its options, and that nothing in it is dead."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MMLogger

from handkp_plugins.models.backbones import PMSDSNet
from handkp_plugins.models.layers import spatial_attention

TINY = dict(num_stages=2, num_keypoints=3, widths=(4,) * 5, fusion_widths=(4,) * 5)


@pytest.fixture(autouse=True)
def quiet() -> None:
    MMLogger.get_current_instance().setLevel('ERROR')


def test_shapes_of_features_and_maps() -> None:
    net = PMSDSNet(**TINY | dict(widths=(4, 5, 6, 7, 8), fusion_widths=(2, 3, 4, 5, 6)))
    features, *maps = net(torch.zeros(2, 3, 32, 64))
    assert net.out_channels == 6 and features.shape == (2, 6, 32, 64)
    assert [m.shape for m in maps[:5]] == [(2, 3, 32 // s, 64 // s) for s in (1, 2, 4, 8, 16)]
    # In the last stage nothing uses, and no one supervises, the maps at strides 8 and 16.
    assert [m.shape for m in maps[5:8]] == [(2, 3, 32 // s, 64 // s) for s in (1, 2, 4)]
    assert maps[8:] == [None, None]


def test_attention() -> None:
    z = torch.tensor([[0.0, 2.0], [0.0, -1.0]]).reshape(1, 2, 1, 2)
    expected = torch.tensor([0.5, 1 / (1 + torch.e**-1)]).reshape(1, 1, 1, 2)
    torch.testing.assert_close(spatial_attention(z), expected)


def test_equations() -> None:
    """One stage of two scales, equation by equation."""
    net = PMSDSNet(2, 3, (1, 2), (4, 5), (2, 3), (6, 7), supervised_scales=(0,)).eval()
    net.init_weights()
    image = torch.rand(1, 3, 8, 8, generator=torch.manual_seed(0))
    features, *maps = net(image)
    stage = net.stages[0]
    x0 = [net.stems[0](image), net.stems[1](image)]
    x = [net.entries[0](x0[0]), net.entries[1](x0[1])]
    x[1] = torch.cat([x[1], stage.conv_down[0](F.avg_pool2d(x[0], 2))], 1)  # eq. 4
    coarse = stage.conv_x[1](x[1])
    up = F.interpolate(stage.conv_up[0](coarse), scale_factor=2, mode='bilinear', align_corners=False)
    q = [torch.cat([stage.conv_x[0](x[0]), up], 1), coarse]  # eq. 5
    z = [stage.conv_ds[str(s)](torch.cat([stage.conv_q[str(s)](q[s]), x0[s]], 1)) for s in (0, 1)]  # eq. 6
    torch.testing.assert_close(list(maps[:2]), z)
    gated = [torch.sigmoid(z[s].sum(1, keepdim=True)) * q[s] for s in (0, 1)]  # eq. 7
    last, last_maps = net.stages[1](gated, x0)
    torch.testing.assert_close(features, last[0])
    torch.testing.assert_close(maps[2], last_maps[0])
    assert maps[3] is None


@pytest.mark.parametrize('fusion', ['cycle', 'up', 'down'])
@pytest.mark.parametrize('deep_supervision', [True, False])
@pytest.mark.parametrize('supervised_scales', [(0, 1, 2), (1,)])
@pytest.mark.parametrize('strides', [(1, 2, 4, 8, 16), (2, 8), (4, 8, 16)])
def test_every_parameter_has_a_gradient(
    fusion: str, deep_supervision: bool, supervised_scales: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    supervised_scales = tuple(s for s in supervised_scales if s < len(strides))
    n = len(strides)
    net = PMSDSNet(
        3, 3, strides, (4,) * n, (4,) * n, None, fusion, deep_supervision, supervised_scales=supervised_scales
    )
    net.init_weights()
    features, *maps = net(torch.rand(2, 3, 64, 64))
    assert len(maps) == (3 * n if deep_supervision else 0)
    loss = features.square().mean()
    for s in supervised_scales if deep_supervision else ():
        for z in maps[s::n]:
            loss = loss + (z - 1).square().mean()
    loss.backward()
    dead = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


def test_fusions_use_what_they_say() -> None:
    """Whether the output depends on the coarse scale's own path, and the coarse maps on the fine scale's."""

    def change(fusion: str, scale: int, output: int) -> bool:
        torch.manual_seed(0)
        net = PMSDSNet(1, 3, (1, 2), (4, 4), (4, 4), fusion=fusion, supervised_scales=(0, 1)).eval()
        image = torch.rand(1, 3, 8, 8)
        before = net(image)[output]
        net.stems[scale].conv.weight.data.zero_()
        return not torch.equal(before, net(image)[output])

    assert change('cycle', 1, 0) and change('cycle', 0, 2)
    assert change('up', 1, 0) and not change('up', 0, 2)
    assert not change('down', 1, 0) and change('down', 0, 2)


def test_checkpointing_changes_nothing() -> None:
    image = torch.rand(2, 3, 32, 32)
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        net = PMSDSNet(**TINY, with_cp=with_cp)
        net(image)[0].sum().backward()
        gradients.append([p.grad for p in net.parameters() if p.grad is not None])
    torch.testing.assert_close(*gradients)


def test_channels_last_stays_channels_last() -> None:
    net = PMSDSNet(**TINY).to(memory_format=torch.channels_last)
    features, *maps = net(torch.rand(2, 3, 32, 32))
    assert all(m.is_contiguous(memory_format=torch.channels_last) for m in (features, *maps[:5]))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_stages=0), 'num_stages: expected an integer from 1, got 0'),
        (dict(strides=(4,)), r'strides: expected at least two, ascending, .* got \(4,\)'),
        (dict(strides=(1, 4, 6, 8, 16)), r'strides: .* got \(1, 4, 6, 8, 16\)'),
        (dict(strides=(1, 3, 6, 12, 24)), r'strides: expected 1 and even numbers, got \(1, 3, 6, 12, 24\)'),
        (dict(widths=(8, 8)), r'widths: expected one positive integer for each of 5 strides, got \(8, 8\)'),
        (dict(fusion_widths=(0,) * 5), r'fusion_widths: .* got \(0, 0, 0, 0, 0\)'),
        (dict(fusion='both'), r"fusion: expected \('cycle', 'up', 'down'\), got 'both'"),
        (dict(supervised_scales=(0, 5)), r'supervised_scales: .* from 0 to 4, got \(0, 5\)'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PMSDSNet(**TINY | arguments)


def test_bad_input_size() -> None:
    message = r'multiples of the largest stride 16, got 100×64 \(width×height\); nearest: width 96 or 112, height 64'
    with pytest.raises(ValueError, match=message):
        PMSDSNet(**TINY)(torch.zeros(1, 3, 64, 100))
