from copy import deepcopy

import pytest
import torch
from torch import nn

from handkp_plugins.engine.optimizers.muon import MuonAdamW, orthogonalize


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1))


def backward(model: nn.Module) -> None:
    torch.manual_seed(1)
    model(torch.randn(2, 3, 8, 8)).square().mean().backward()


@pytest.mark.parametrize('shape', [(8, 40), (40, 8), (16, 16)])
def test_orthogonalize_keeps_directions_and_evens_singular_values(shape):
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrix = u @ torch.diag(torch.linspace(0.05, 10, min(shape))) @ v
    result = orthogonalize(matrix)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6 and values.max() < 1.3
    aligned = u.T @ result @ v.T
    off = aligned - torch.diag(aligned.diagonal())
    assert off.abs().max() < 1e-3


def test_orthogonalize_takes_a_stack_as_its_matrices_one_by_one():
    torch.manual_seed(0)
    stack = torch.randn(3, 8, 72) * torch.tensor([1e-3, 1.0, 1e3])[:, None, None]
    for together, matrix in zip(orthogonalize(stack), stack, strict=True):
        torch.testing.assert_close(together, orthogonalize(matrix), rtol=0, atol=1e-4)


def test_convolution_takes_muons_step_and_the_rest_takes_adamws():
    model, twin = network(), network()
    ours = MuonAdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    theirs = torch.optim.AdamW(twin.parameters(), lr=0.01, weight_decay=0.1)
    before = model[0].weight.detach().clone()
    for m, optimizer in ((model, ours), (twin, theirs)):
        backward(m)
        optimizer.step()
    for name, p in model.named_parameters():
        if name != '0.weight':
            torch.testing.assert_close(p, twin.get_parameter(name), rtol=0, atol=0)
    step = model[0].weight.detach() - before * (1 - 0.01 * 0.1)
    # Singular values near 1, so the root mean square is 1/√(longer side), times 0.2 √(longer side) and the rate.
    assert step.square().mean().sqrt().item() == pytest.approx(0.01 * 0.2, rel=0.25)
    # At the first step the momentum points along the gradient: what it shares with the step is against it.
    assert (step * model[0].weight.grad).sum() < 0


def test_pointwise_gives_muon_what_mixes_channels_and_adamw_the_depthwise():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 1, 1))
    names = {id(p): name for name, p in model.named_parameters()}
    optimizer = MuonAdamW(model.parameters(), lr=0.01, pointwise=True)
    mixing = {names[id(p)] for group in optimizer.param_groups if group['muon'] for p in group['params']}
    assert mixing == {'0.weight', '2.weight'}
    backward(model)
    optimizer.step()
    assert all('momentum_buffer' in optimizer.state[p] for p in (model[0].weight, model[2].weight))
    assert all('exp_avg' in optimizer.state[p] for p in (model[1].weight, model[3].weight, model[0].bias))


def test_step_does_not_depend_on_the_gradients_scale():
    one, two = network(), network()
    for model, factor in ((one, 1.0), (two, 1024.0)):
        optimizer = MuonAdamW(model.parameters(), lr=0.01)
        backward(model)
        model[0].weight.grad *= factor
        optimizer.step()
    torch.testing.assert_close(one[0].weight, two[0].weight)


def test_training_goes_on_from_a_saved_state():
    model = network()
    optimizer = MuonAdamW(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        backward(model)
        optimizer.step()
    twin = network()
    twin.load_state_dict(model.state_dict())
    resumed = MuonAdamW(twin.parameters(), lr=0.5)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    for m, o in ((model, optimizer), (twin, resumed)):
        o.zero_grad()
        backward(m)
        o.step()
    torch.testing.assert_close(model.state_dict(), twin.state_dict(), rtol=0, atol=0)


def test_groups_keep_their_settings():
    model = network()
    groups = [dict(params=model[0].parameters(), lr=0.1), dict(params=[model[3].weight, model[3].bias])]
    optimizer = MuonAdamW(groups, lr=0.01)
    assert [(g['muon'], g['lr'], len(g['params'])) for g in optimizer.param_groups] == [
        (False, 0.1, 1),
        (True, 0.1, 1),
        (False, 0.01, 2),
    ]


@pytest.mark.parametrize(('kwargs', 'named'), [(dict(momentum=1.0), 'momentum'), (dict(ns_steps=0), 'ns_steps')])
def test_settings_out_of_range_are_refused(kwargs, named):
    with pytest.raises(ValueError, match=named):
        MuonAdamW(network().parameters(), **kwargs)
