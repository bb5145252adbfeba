from pathlib import Path

import pytest
import torch
from helpers.tiny_training import make_runner, write_tiny_training
from mmengine.hooks import Hook
from mmengine.runner import Runner

from handkp_plugins.engine.hooks import NonFiniteLossHook


class Spoiler(Hook):
    """Puts a value into the weights before an iteration."""

    def __init__(self, iteration: int, value: float) -> None:
        self.iteration, self.value = iteration, value

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        if runner.iter == self.iteration:
            torch.nn.init.constant_(runner.model.head.final_layer.bias, self.value)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_training_stops_and_names_the_culprit(tmp_path: Path, value: float):
    runner = make_runner(write_tiny_training(tmp_path), tmp_path / 'work')
    runner.register_hook(Spoiler(2, value))
    message = rf'iteration 3 \(epoch 2\): loss={value}, loss_kpt={value}; learning rate lr=0.05; .*images/000\d.jpg'
    with pytest.raises(FloatingPointError, match=message):
        runner.train()
    assert [p.name for p in (tmp_path / 'work').glob('*.pth')] == ['epoch_1.pth']


def test_interval():
    with pytest.raises(ValueError, match='interval: expected 1 or more, got 0'):
        NonFiniteLossHook(interval=0)
