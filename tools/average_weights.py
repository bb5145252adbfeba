"""Average the weights of networks that were trained from one another.

Example:
    python tools/average_weights.py handkp://lite work_dirs/lite/epoch_28.pth --out work_dirs/mean.pth

A training that starts from good weights improves on images like its own, and may get worse on others. The mean of its
start and its end often keeps most of the gain without the loss (Wortsman et al., Robust fine-tuning of zero-shot
models, CVPR 2022). Networks that were not trained from one another have no useful mean.
"""

import argparse
import math
from collections.abc import Sequence
from typing import Any

import torch

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import HARMLESS_KEYS
from handkp_plugins.errors import CheckpointError
from handkp_plugins.fileio.atomic import atomic_write


def main(checkpoints: Sequence[str], out: str, shares: Sequence[float] | None = None) -> dict[str, torch.Tensor]:
    """Write the mean; returns its weights, in single precision.

    Args:
        checkpoints: Two or more files, or ``handkp://NAME``.
        out: The checkpoint to write; it holds weights alone.
        shares: The positive share of each checkpoint, by default equal.

    Raises:
        ValueError: There are fewer than two checkpoints, or the shares are wrong.
        CheckpointError: A checkpoint is damaged, has no weights, or is of another network than the first.
    """
    shares = list(shares or [1.0] * len(checkpoints))
    if len(checkpoints) < 2:
        raise ValueError(f'checkpoints: expected two or more, got {len(checkpoints)}')
    if len(shares) != len(checkpoints) or not all(s > 0 and math.isfinite(s) for s in shares):
        raise ValueError(f'--shares: expected {len(checkpoints)} positive numbers, got {shares}')
    mean: dict[str, torch.Tensor] = {}
    for path, share in zip(checkpoints, shares, strict=True):
        weights = _weights(path)
        mean = mean or {key: torch.zeros(value.shape) for key, value in weights.items()}
        sizes, others = ({key: value.shape for key, value in each.items()} for each in (mean, weights))
        if sizes != others:
            differing = sorted(k for k in {*sizes, *others} if sizes.get(k) != others.get(k))
            raise CheckpointError(
                f'{path}: expected the network of {checkpoints[0]}, got other weights: {", ".join(differing[:3])}'
            )
        for key, value in weights.items():
            mean[key] += share / sum(shares) * value.float()
    with atomic_write(out) as temporary:
        torch.save(dict(state_dict=mean, meta={}, mean_of=list(checkpoints)), temporary)
    print(f'{out}: the mean of {len(checkpoints)} networks, {len(mean)} weights')
    return mean


def _weights(path: str) -> dict[str, torch.Tensor]:
    checkpoint = read_checkpoint(path)
    stored = checkpoint.get('state_dict', checkpoint)
    weights = {k: v for k, v in stored.items() if isinstance(v, torch.Tensor) and not HARMLESS_KEYS.search(k)}
    if not weights:
        raise CheckpointError(f'{path}: expected weights, got a checkpoint without any')
    return weights


def parse_args(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """The command line, as arguments of :func:`main`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoints', nargs='+', metavar='CHECKPOINT', help='a file, or handkp://NAME')
    parser.add_argument('--out', required=True, metavar='FILE')
    parser.add_argument('--shares', nargs='+', type=float, metavar='SHARE', help='of each checkpoint (default: equal)')
    return vars(parser.parse_args(argv))


if __name__ == '__main__':
    run_tool(lambda: main(**parse_args()))
