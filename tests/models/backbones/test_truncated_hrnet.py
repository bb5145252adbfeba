"""Backbones that end early: what is left of an HRNet, what pretrained weights do, and the sizes they take."""

from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import checkpoint
from mmpose.models.backbones import HRNet
from torch import Tensor

from handkp_plugins.models.backbones import TruncatedHRNet

EXTRA = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(4,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(4, 6)),
    stage3=dict(num_modules=2, num_branches=3, block='BASIC', num_blocks=(1, 1, 1), num_channels=(4, 6, 8)),
)
STAGE4 = dict(num_modules=1, num_branches=4, block='BASIC', num_blocks=(1,) * 4, num_channels=(4, 6, 8, 10))


@pytest.fixture(autouse=True)
def quiet() -> None:
    MMLogger.get_current_instance().setLevel('ERROR')


def in_eval(net: HRNet) -> HRNet:
    net.eval()  # returns None in MMPose
    return net


def whole() -> HRNet:
    torch.manual_seed(0)
    return in_eval(HRNet(dict(EXTRA, stage4=STAGE4), init_cfg=None))


def after_stage3(net: HRNet, image: Tensor) -> list[Tensor]:
    seen = []
    handle = net.stage3.register_forward_hook(lambda module, inputs, output: seen.extend(output))
    net(image)
    handle.remove()
    return seen


@pytest.mark.parametrize('branch', [0, 1, 2])
def test_it_is_the_whole_network_up_to_stage_3(branch: int) -> None:
    source = whole()
    net = in_eval(TruncatedHRNet(EXTRA, branch, init_cfg=None))
    found = net.load_state_dict(source.state_dict(), strict=False)
    assert found.missing_keys == []
    assert {name.split('.')[0] for name in found.unexpected_keys} == {'transition3', 'stage4'}
    image = torch.rand(1, 3, 64, 32)
    (maps,) = net(image)
    assert maps.shape == (1, (4, 6, 8)[branch], 64 // net.stride, 32 // net.stride)
    torch.testing.assert_close(maps, after_stage3(source, image)[branch])


def test_pretrained_weights_of_the_whole_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = whole()
    torch.save(source.state_dict(), tmp_path / 'hrnet.pth')
    net = TruncatedHRNet(EXTRA, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'hrnet.pth')))
    told = []
    monkeypatch.setattr(checkpoint, 'print_log', lambda message, *_, **__: told.append(message))
    net.init_weights()
    kept = net.state_dict()
    torch.testing.assert_close(kept, {name: source.state_dict()[name] for name in kept})
    (message,) = [m for m in told if 'state dict' in m]
    names = message.partition('unexpected key in source state_dict: ')[2].split('\n')[0].split(', ')
    assert {n.split('.')[0] for n in names} == {'transition3', 'stage4'} and 'missing' not in message


@pytest.mark.parametrize('branch', [0, 1, 2])
def test_every_parameter_has_a_gradient(branch: int) -> None:
    net = TruncatedHRNet(EXTRA, branch)
    net.init_weights()
    (maps,) = net(torch.rand(2, 3, 32, 32))
    (maps * torch.rand_like(maps)).sum().backward()
    assert maps.isfinite().all()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_sizes() -> None:
    net = in_eval(TruncatedHRNet(EXTRA))
    for h, w in ((16, 24), (40, 8), (56, 32)):  # of which stride 16 divides few
        assert net(torch.rand(1, 3, h, w))[0].shape[2:] == (h // 8, w // 8)
    with pytest.raises(ValueError, match='stride 8, got 24×20 .*; nearest: width 24, height 16 or 24'):
        net(torch.rand(1, 3, 20, 24))


def test_padding_changes_nothing_else() -> None:
    """Far from what was padded, the map is that of the image's own network."""
    net = in_eval(TruncatedHRNet(EXTRA, init_cfg=None))
    image = torch.rand(1, 3, 32, 520)
    (maps,), (exact,) = net(image), net(image[..., :512])
    torch.testing.assert_close(maps[..., :16], exact[..., :16])


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='branch: expected 0 to 2, got 3'):
        TruncatedHRNet(EXTRA, 3)
    with pytest.raises(ValueError, match='extra: expected stage1 to stage3, got stage4'):
        TruncatedHRNet(dict(EXTRA, stage4=STAGE4))
