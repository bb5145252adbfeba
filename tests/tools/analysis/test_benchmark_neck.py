"""The benchmark of the neck: its two networks are equal, and every row is measured."""

import pytest
import torch
from helpers.tool_module import load_tool

from handkp_plugins.models.necks import TransformerNeck


def differing(neck: TransformerNeck) -> TransformerNeck:
    """The neck with no two parameters alike, as after a training."""
    with torch.no_grad():
        for p in neck.parameters():
            p.add_(torch.randn_like(p), alpha=0.05)
    return neck


@pytest.mark.parametrize('size', [(32, 24), (32, 32)])
def test_equal_output(size: tuple[int, int]) -> None:
    """Of 256×192 and 256×256, with the paper's width; and with another number of heads."""
    torch.manual_seed(0)
    neck = differing(TransformerNeck(512, num_layers=2, num_heads=4, position='none')).eval()
    theirs = load_tool('analysis/benchmark_neck').TorchNeck(neck).eval()
    maps = torch.randn(1, 512, *size)
    with torch.no_grad():  # torch's takes its fused way here
        torch.testing.assert_close(neck((maps,))[0], theirs((maps,))[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(neck((maps,))[0], theirs((maps,))[0], atol=1e-4, rtol=1e-4)


def test_same_gradients() -> None:
    torch.manual_seed(0)
    neck = differing(TransformerNeck(8, 8, 2, 2, 12, dropout=0.0, position='none'))
    theirs = load_tool('analysis/benchmark_neck').TorchNeck(neck)
    gradients = []
    for network in (neck, theirs):
        maps = torch.ones(1, 8, 3, 4).cumsum(3).requires_grad_()
        network((maps,))[0].square().sum().backward()
        gradients.append(maps.grad)
    torch.testing.assert_close(*gradients)


def test_every_row_is_measured(capsys: pytest.CaptureFixture) -> None:
    table = load_tool('analysis/benchmark_neck').main(sizes=((16, 8),), rounds=2, device='cpu')
    modes = [('evaluation', 'fp32'), ('evaluation', 'bf16'), ('training', 'fp32'), ('training', 'bf16')]
    assert list(table) == [(mode, (16, 8), name) for mode, name in modes]
    for costs in table.values():
        assert [len(c.times) for c in costs] == [2, 2, 2] and all(c.memory > 0 for c in costs)
    assert '| training | 16×8 | bf16 |' in capsys.readouterr().out
