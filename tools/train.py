"""Train a network: ``python tools/train.py CONFIG``; several processes by ``tools/dist_train.sh``."""

import os
from collections.abc import Sequence

# OpenMP threads that wait busily slow the CPU down up to ten times where data is loaded beside them, and threads that
# sleep at once do so by a third where nothing is. This is a short wait; OpenMP reads it when PyTorch is imported.
os.environ.setdefault('GOMP_SPINCOUNT', '1000')

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.cli import train_test as cli
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.runner import HandRunner


def main(argv: Sequence[str] | None = None) -> HandRunner:
    """Train as the arguments (default: the command line's) say; returns the runner, its model trained."""
    args = cli.train_parser().parse_args(argv)
    runner = cli.build_runner(cli.train_config(args))
    runner.train()
    return runner


if __name__ == '__main__':
    run_tool(main)
