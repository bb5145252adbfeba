"""Measure how many images per second a config trains, and where the time goes.

Trains for some iterations like tools/train.py, without validation and checkpoints, and prints the milliseconds per
image of each part: waiting for the loader (with workers, only what they do not hide), the data preprocessor (in
``layers`` configs the HandCompositor), forward pass and loss, backward pass, optimizer, and the rest (such as averaging
weights). The first iterations do not count. Of clips each valid frame is an image.

Example:
    python tools/analysis/benchmark_training.py configs/pmsdsnet/pmsdsnet_lite_layers-128.py --amp
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.cli import train_test as cli
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.config import use_scratch_folder

PARTS = ('loading', 'preprocessing', 'forward and loss', 'backward', 'optimizer', 'rest')


class Stopwatch(Hook):
    """Add up the ``seconds`` of each of :data:`PARTS`, and the ``images``, after ``warm_up`` iterations."""

    priority = 'LOWEST'  # after all other hooks, whose time belongs to the rest

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.seconds: dict[str, float] = defaultdict(float)
        self.images = 0
        self._inside = 0.0  # seconds of this iteration that belong to a part
        self._since = 0.0

    def before_train(self, runner: Runner) -> None:
        self._watch('preprocessing', runner.model.data_preprocessor, 'forward')
        self._watch('backward', runner.optim_wrapper, 'backward')
        self._watch('optimizer', runner.optim_wrapper, 'step')
        self._watch('forward and loss', runner.model, '_run_forward')
        self._since = self._now()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.seconds['loading'] += self._now() - self._since
        self._since, self._inside = self._now(), 0.0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        self.seconds['rest'] += self._now() - self._since - self._inside
        if runner.iter < self.warm_up:
            self.seconds.clear()
        else:
            self.images += sum(len(inputs) if inputs.ndim == 4 else 1 for inputs in data_batch['inputs'])
        self._since = self._now()

    def _watch(self, part: str, owner: Any, method: str) -> None:
        call = getattr(owner, method)

        def call_timed(*args: Any, **kwargs: Any) -> Any:
            with self._timed(part):
                return call(*args, **kwargs)

        setattr(owner, method, call_timed)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start = self._now()
        yield
        self._inside += self._now() - start
        self.seconds[part] += self._now() - start

    @staticmethod
    def _now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()


def main(
    config: str,
    iterations: int = 30,
    warm_up: int = 5,
    amp: bool = False,
    cfg_options: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Train, measure and print; return part → milliseconds per image, and ``images/s``.

    Raises:
        ValueError: There is no iteration to count.
    """
    if iterations < 1 or warm_up < 0:
        raise ValueError(f'iterations, warm_up: expected 1 or more and 0 or more, got {iterations}, {warm_up}')
    with tempfile.TemporaryDirectory() as folder:
        args = cli.train_parser().parse_args([config] + ['--amp'] * amp)
        args.cfg_options = dict(cfg_options or {})
        cfg = cli.train_config(args)
        use_scratch_folder(cfg, folder)
        cfg.train_cfg = dict(by_epoch=False, max_iters=warm_up + iterations)
        cfg.param_scheduler = []
        cfg.default_hooks.logger = dict(type='LoggerHook', interval=warm_up + iterations + 1)
        watch = Stopwatch(warm_up)
        runner = cli.build_runner(cfg)
        runner.register_hook(watch)
        runner.train()
    result = {part: 1e3 * watch.seconds[part] / watch.images for part in PARTS}
    total = sum(result.values())
    result['images/s'] = 1e3 / total
    print(f'{config}: {result["images/s"]:.1f} images/s, {torch.get_num_threads()} threads')
    print('| part | ms per image | share |\n|---|---|---|')
    for part in PARTS:
        print(f'| {part} | {result[part]:.2f} | {result[part] / total:.0%} |')
    return result


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--iterations', type=int, default=30, help='iterations that count')
    parser.add_argument('--warm-up', type=int, default=5, help='iterations before that')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--cfg-options', nargs='+', action=cli.OptionAction, metavar='KEY=VALUE')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
