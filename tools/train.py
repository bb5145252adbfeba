"""Train a network: ``python tools/train.py CONFIG``; several processes by ``tools/dist_train.sh``."""

from collections.abc import Sequence

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.engine import cli
from handkp_plugins.engine.runner import HandRunner


def main(argv: Sequence[str] | None = None) -> HandRunner:
    """Train as the arguments (default: the command line's) say; returns the runner, its model trained."""
    args = cli.train_parser().parse_args(argv)
    runner = cli.build_runner(cli.train_config(args))
    runner.train()
    return runner


if __name__ == '__main__':
    main()
