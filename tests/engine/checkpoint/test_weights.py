from collections import OrderedDict

import pytest
import torch
from torch import nn

from handkp_plugins.engine.checkpoint.weights import load_weights
from handkp_plugins.errors import CheckpointError


def network(width: int = 3) -> nn.Sequential:
    return nn.Sequential(OrderedDict(stem=nn.Conv2d(1, width, 1), norm=nn.BatchNorm2d(width), head=nn.Linear(2, 2)))


def test_weights_fit():
    source, target = network(), network()
    weights = {f'module.{k}': v for k, v in source.state_dict().items() if 'num_batches' not in k}
    weights['head.loss_module.scale'] = torch.ones(1)
    load_weights(target, dict(state_dict=weights), 'x.pth')
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('partial', [False, True])
def test_weights_of_another_network(partial: bool):
    other = network(4).state_dict()
    other['stage2.weight'] = other.pop('head.weight')
    problems = (
        r'x.pth: .*1 of 8 weights fit.*1 missing: head.weight; 1 unexpected: stage2.weight; '
        r'6 of another size: stem.weight, stem.bias, norm.weight, \.\.\.'
    )
    if partial:
        load_weights(network(), dict(state_dict=other), 'x.pth', partial=True)
    else:
        with pytest.raises(CheckpointError, match=problems):
            load_weights(network(), dict(state_dict=other), 'x.pth')
    nothing = {f'backbone.{k}': v for k, v in network().state_dict().items()}
    with pytest.raises(CheckpointError, match=r'0 of 8 weights fit; 8 missing: .*; 8 unexpected: backbone.stem.weight'):
        load_weights(network(), dict(state_dict=nothing), 'x.pth', partial)


def test_missing_weights_alone_are_refused():
    weights = network().state_dict()
    del weights['head.bias']
    with pytest.raises(CheckpointError, match=r'7 of 8 weights fit; 1 missing: head.bias'):
        load_weights(network(), weights, 'x.pth')
