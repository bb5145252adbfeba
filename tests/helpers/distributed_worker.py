"""Run by torchrun in test_dist.py: tests a checkpoint on sets of several sizes and writes the metrics of each rank."""

import json
import sys
from itertools import product
from pathlib import Path

from torch import distributed

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.tiny_training import make_runner

from handkp_plugins.cli.tool import run_tool

SIZES, ROUND_UP = (1, 2, 13), (False, True)


def main(config: str, checkpoint: str, output: str, launcher: str = 'pytorch') -> dict[str, dict]:
    """Metrics by '<size>, <round_up>'."""
    metrics = {}
    for size, round_up in product(SIZES, ROUND_UP):
        runner = make_runner(
            Path(config), Path(output) / 'work', load_from=checkpoint, launcher=launcher,
            test_dataloader__dataset__indices=size, test_dataloader__sampler__round_up=round_up)  # fmt: skip
        metrics[f'{size}, {round_up}'] = runner.test()
    rank = distributed.get_rank() if distributed.is_initialized() else 0
    Path(output, f'{launcher}{rank}.json').write_text(json.dumps(metrics, default=float))
    return metrics


if __name__ == '__main__':
    run_tool(lambda: main(*sys.argv[1:]))
