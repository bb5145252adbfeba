from pathlib import Path

import pytest
import torch
from helpers.tiny_training import make_runner, write_tiny_training
from torch import nn

from handkp_plugins.engine.optimizers import amp as optim_module
from handkp_plugins.engine.optimizers.amp import HandAmpOptimWrapper

ON_CPU = not torch.cuda.is_available()


class Probe(nn.Linear):
    dtype: torch.dtype | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result = super().forward(x)
        self.dtype = result.dtype
        return result


def wrapper(model: nn.Module, **kwargs: object) -> HandAmpOptimWrapper:
    return HandAmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.5), **kwargs)


@pytest.mark.skipif(not ON_CPU, reason='on the CPU')
def test_cpu_computes_in_bfloat16_without_scaling():
    model = Probe(2, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    optim = wrapper(model)
    with optim.optim_context(model):
        loss = model(torch.tensor([[1.0, 2.0]])).float().sum()
    assert model.dtype == torch.bfloat16
    optim.update_params(loss)
    assert model.weight.tolist() == [[0.5, 0.0]]
    assert model.weight.dtype == torch.float32


@pytest.mark.skipif(not ON_CPU, reason='on the CPU')
@pytest.mark.parametrize('name', ['head', 'bbox_head'])
def test_the_loss_gets_what_a_head_of_keypoints_or_boxes_gives_in_float32(name: str):
    model, head = nn.Module(), Probe(2, 1)
    setattr(model, name, head)
    with wrapper(model).optim_context(model):
        given = head.forward(torch.ones(1, 2))
    assert (head.dtype, given.dtype) == (torch.bfloat16, torch.float32)


@pytest.mark.skipif(not ON_CPU, reason='on the CPU')
def test_state_of_a_scaled_training_is_taken():
    model = nn.Linear(1, 1)
    optim = wrapper(model)
    state = optim.state_dict()
    assert state['loss_scaler'] == {}
    optim.load_state_dict(dict(state, loss_scaler=dict(scale=65536.0, growth_factor=2.0)))
    optim.load_state_dict(state)


def test_types_that_the_machine_lacks():
    with pytest.raises(ValueError, match='dtype: expected on .*bfloat16.*, got float64'):
        wrapper(nn.Linear(1, 1), dtype='float64')
    if ON_CPU:
        with pytest.raises(ValueError, match='dtype: expected on cpu bfloat16, got float16'):
            wrapper(nn.Linear(1, 1), dtype='float16')


@pytest.mark.parametrize('has_bfloat16', [True, False])
def test_a_cpu_without_bfloat16_is_told_to_be_slow(monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool):
    messages = []
    monkeypatch.setattr(optim_module, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(optim_module, 'cpu_has_bfloat16', lambda: has_bfloat16)
    monkeypatch.setattr(optim_module, 'print_log', lambda text, *args: messages.append(text))
    assert wrapper(nn.Linear(1, 1)).cast_dtype == torch.bfloat16
    assert [text.startswith('mixed precision: expected a CPU with bfloat16') for text in messages] == [True] * (
        not has_bfloat16
    )


@pytest.mark.parametrize('has_bfloat16', [True, False])
def test_gpus_compute_in_what_they_have(monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool):
    scalers = []
    monkeypatch.setattr(optim_module, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation: has_bfloat16)
    monkeypatch.setattr(torch.amp, 'GradScaler', lambda device, **kwargs: scalers.append((device, kwargs)))
    assert wrapper(nn.Linear(1, 1)).cast_dtype == (torch.bfloat16 if has_bfloat16 else torch.float16)
    wrapper(nn.Linear(1, 1), dtype='float16', loss_scale=512)
    wrapper(nn.Linear(1, 1), dtype='float16', loss_scale=dict(growth_interval=9))
    assert scalers == [
        ('cuda', dict(enabled=not has_bfloat16)),
        ('cuda', dict(init_scale=512.0, enabled=True)),
        ('cuda', dict(growth_interval=9, enabled=True)),
    ]


def test_training_in_mixed_precision_learns(tmp_path: Path):
    runner = make_runner(
        write_tiny_training(tmp_path),
        tmp_path / 'work',
        optim_wrapper__type='HandAmpOptimWrapper',
        train_cfg__max_epochs=8,
    )
    runner.train()
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert losses[-4:].mean() < 0.9 * losses[:4].mean()
