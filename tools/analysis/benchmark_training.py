"""Measure how many images a second a config trains, and where the time goes.

Trains for some iterations as tools/train.py would, without validation and checkpoints, and prints for each part its
milliseconds per image: waiting for the loader (with workers beside, what they do not hide), the data preprocessor (in
``layers`` configs the HandCompositor), the network forwards with the loss, backwards, the optimizer, and the rest (such
as the averaging of weights). The first iterations are not counted.
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
    """Adds up the seconds of each of :data:`PARTS`; ``seconds`` and ``images`` are of the iterations counted.

    Args:
        warm_up: iterations that are not counted.
    """

    priority = 'LOWEST'  # after all other hooks, whose time is the rest's, and before the next batch is fetched

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.seconds: dict[str, float] = defaultdict(float)
        self.images = 0
        self._inside = 0.0  # seconds of this iteration that a part has claimed
        self._since = 0.0

    def before_train(self, runner: Runner) -> None:
        """Watch the parts that are calls."""
        self._watch('preprocessing', runner.model.data_preprocessor, 'forward')
        self._watch('backward', runner.optim_wrapper, 'backward')
        self._watch('optimizer', runner.optim_wrapper, 'step')
        self._watch('forward and loss', runner.model, '_run_forward')
        self._since = self._now()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """The batch is there."""
        self._add('loading', self._now() - self._since)
        self._since, self._inside = self._now(), 0.0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """The step is done."""
        self._add('rest', self._now() - self._since - self._inside)
        if runner.iter < self.warm_up:
            self.seconds.clear()
        else:
            self.images += len(data_batch['inputs'])
        self._since = self._now()

    def _watch(self, part: str, owner: Any, method: str) -> None:
        call = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self._claimed(part):
                return call(*args, **kwargs)

        setattr(owner, method, timed)

    @contextmanager
    def _claimed(self, part: str) -> Iterator[None]:
        start = self._now()
        yield
        self._inside += self._now() - start
        self._add(part, self._now() - start)

    def _add(self, part: str, seconds: float) -> None:
        self.seconds[part] += seconds

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
    """Train, measure and print; returns part → milliseconds per image, and ``images/s``.

    Raises:
        ValueError: no iteration to count.
    """
    if iterations < 1 or warm_up < 0:
        raise ValueError(f'iterations: expected 1 or more after 0 or more, got {iterations} after {warm_up}')
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
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/analysis/benchmark_training.py '
        'configs/pmsdsnet/pmsdsnet_lite_layers-128.py --amp',
    )
    parser.add_argument('config')
    parser.add_argument('--iterations', type=int, default=30, help='iterations that are counted')
    parser.add_argument('--warm-up', type=int, default=5, help='iterations before')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--cfg-options', nargs='+', action=cli.OptionAction, metavar='KEY=VALUE')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
