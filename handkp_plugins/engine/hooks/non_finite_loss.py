"""Stop a training whose loss is not finite."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Raise FloatingPointError if a loss term is NaN or infinite, before a checkpoint is written.

    With an ``interval`` of n, it looks at every n-th iteration.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f'interval: expected 1 or more, got {interval}')
        self.interval = interval

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Check the logged loss terms of the iteration that has just ended."""
        if not outputs or not self.every_n_train_iters(runner, self.interval):
            return
        terms = {name: torch.as_tensor(value).item() for name, value in outputs.items() if 'loss' in name}
        if all(map(math.isfinite, terms.values())):
            return
        rates = {name: values[0] for name, values in runner.optim_wrapper.get_lr().items()}
        raise FloatingPointError(
            f'the loss is not finite at iteration {runner.iter + 1} (epoch {runner.epoch + 1}): '
            f'{_listed(terms)}; learning rate {_listed(rates)}; first images of the batch: {_image_names(data_batch)}. '
            'Lower the learning rate, clip gradients (optim_wrapper.clip_grad) or look at these images; '
            'the checkpoints on disk are good'
        )


def _listed(values: dict[str, float]) -> str:
    return ', '.join(f'{name}={value:g}' for name, value in values.items())


def _image_names(data_batch: Any, limit: int = 3) -> str:
    samples = data_batch.get('data_samples', []) if isinstance(data_batch, dict) else []
    names = [str(sample.get('img_path')) for sample in samples[:limit]]
    return ', '.join(names) or 'unknown'
