"""Test a network: ``python tools/test.py CONFIG CHECKPOINT``; for several processes use ``tools/dist_test.sh``."""

import os
from collections.abc import Sequence

os.environ.setdefault('GOMP_SPINCOUNT', '1000')  # before PyTorch is imported; see train.py

import mmengine
from mmengine.dist import is_main_process

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.cli import train_test as cli
from handkp_plugins.cli.tool import run_tool


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Test a network by the arguments of the command line; returns the metrics."""
    args = cli.test_parser().parse_args(argv)
    runner = cli.build_runner(cli.test_config(args))
    metrics = runner.test()
    if args.out and is_main_process():
        mmengine.dump(metrics, args.out)
    return metrics


if __name__ == '__main__':
    run_tool(main)
