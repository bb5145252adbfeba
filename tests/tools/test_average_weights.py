"""The mean of networks' weights."""

from pathlib import Path

import pytest
import torch
from helpers.tool_module import load_tool

from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.errors import CheckpointError

main = load_tool('average_weights').main


def write(path: Path, **weights: torch.Tensor) -> str:
    counted = {'bn.num_batches_tracked': torch.tensor(7)}
    torch.save(dict(state_dict={**{k.replace('_', '.'): v for k, v in weights.items()}, **counted}, meta={}), path)
    return str(path)


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    first = write(tmp_path / 'a.pth', conv_weight=torch.full((2, 3), 1.0), bn_bias=torch.tensor([0.0, 4.0]).half())
    second = write(tmp_path / 'b.pth', conv_weight=torch.full((2, 3), 3.0), bn_bias=torch.tensor([1.0, 0.0]))
    return [first, second]


def test_equal_shares_and_others(two: list[str], tmp_path: Path):
    main(two, str(tmp_path / 'new' / 'mean.pth'))
    written = read_checkpoint(str(tmp_path / 'new' / 'mean.pth'))
    assert written['mean_of'] == two and set(written['state_dict']) == {'conv.weight', 'bn.bias'}
    assert torch.equal(written['state_dict']['conv.weight'], torch.full((2, 3), 2.0))
    assert torch.equal(written['state_dict']['bn.bias'], torch.tensor([0.5, 2.0]))
    uneven = main(two, str(tmp_path / 'uneven.pth'), [3, 1])
    assert torch.equal(uneven['bn.bias'], torch.tensor([0.25, 3.0]))


def test_shipped_weights_with_themselves(tmp_path: Path):
    weights = read_checkpoint('handkp://lite')['state_dict']
    mean = main(['handkp://lite'] * 2, str(tmp_path / 'mean.pth'))
    assert len(mean) == len(weights) and all(torch.equal(mean[k], v.float()) for k, v in weights.items())


def test_another_network(two: list[str], tmp_path: Path):
    other = write(tmp_path / 'c.pth', conv_weight=torch.zeros(2, 4), bn_bias=torch.zeros(2))
    with pytest.raises(CheckpointError, match=r'c\.pth: expected .*a\.pth, got other weights: conv\.weight'):
        main([two[0], other], str(tmp_path / 'mean.pth'))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        main([two[0], str(tmp_path / 'nowhere.pth')], str(tmp_path / 'mean.pth'))
    torch.save(dict(meta={}, epoch=3), tmp_path / 'empty.pth')
    with pytest.raises(CheckpointError, match=r'empty\.pth: expected weights, got a checkpoint without any'):
        main([str(tmp_path / 'empty.pth')] * 2, str(tmp_path / 'mean.pth'))
    assert not (tmp_path / 'mean.pth').exists()


@pytest.mark.parametrize('shares', [[1], [1, 0], [1, -1], [1, float('nan')], [1, 1, 1]])
def test_shares_that_are_none(two: list[str], tmp_path: Path, shares: list[float]):
    with pytest.raises(ValueError, match='--shares: expected 2 positive numbers'):
        main(two, str(tmp_path / 'mean.pth'), shares)


def test_one_alone(two: list[str], tmp_path: Path):
    with pytest.raises(ValueError, match='two or more, got 1'):
        main(two[:1], str(tmp_path / 'mean.pth'))
