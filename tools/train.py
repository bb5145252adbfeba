"""Train a network: ``python tools/train.py CONFIG``; several processes by ``tools/dist_train.sh``."""

import os
from collections.abc import Sequence

# Threads that wait busily slow a training on the CPU down, up to ten times, wherever data is loaded beside it. OpenMP
# reads this when PyTorch is imported.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.engine import cli
from handkp_plugins.engine.runner import HandRunner
from handkp_plugins.engine.tool import run_tool


def main(argv: Sequence[str] | None = None) -> HandRunner:
    """Train as the arguments (default: the command line's) say; returns the runner, its model trained."""
    args = cli.train_parser().parse_args(argv)
    runner = cli.build_runner(cli.train_config(args))
    runner.train()
    return runner


if __name__ == '__main__':
    run_tool(main)
