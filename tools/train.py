"""Train a network: ``python tools/train.py CONFIG``; for several processes use ``tools/dist_train.sh``."""

import os
from collections.abc import Sequence

# Threads of OpenMP that wait busily slow down the loading of data up to ten times; threads that sleep at once cost a
# third. This is a short wait, which OpenMP reads when PyTorch is imported.
os.environ.setdefault('GOMP_SPINCOUNT', '1000')

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.cli import train_test as cli
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.runner import HandRunner


def main(argv: Sequence[str] | None = None) -> HandRunner:
    """Train a network by the arguments of the command line; returns the runner."""
    args = cli.train_parser().parse_args(argv)
    runner = cli.build_runner(cli.train_config(args))
    runner.train()
    return runner


if __name__ == '__main__':
    run_tool(main)
