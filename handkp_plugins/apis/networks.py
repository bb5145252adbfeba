"""Networks as the user of a tool names them: shipped weights by name, or a config and a checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from handkp_plugins.engine.checkpoint.shipped import SCHEME, config_file, weights_file

Network = tuple[str | Path, str | Path]
"""Config and checkpoint; the checkpoint of shipped weights is their address."""

DEFAULT_WEIGHTS = 'lite'
"""Of keypoints, where none are named."""


def named_network(option: str, given: Sequence[str | Path]) -> Network:
    """The network of an option that takes NAME of shipped weights, or CONFIG and CHECKPOINT.

    Raises:
        ValueError: neither one nor two are given, or there are no such weights.
    """
    if len(given) == 2:
        return given[0], given[1]
    if len(given) != 1:
        raise ValueError(f'{option}: expected NAME of shipped weights, or CONFIG and CHECKPOINT, got {given}')
    try:
        file = weights_file(str(given[0]))
    except ValueError as e:
        raise ValueError(f'{option}: {e}; {option} CONFIG CHECKPOINT names a network of your own') from None
    return config_file(file), f'{SCHEME}{file.stem}'


def choose_network(
    config: str | Path | None,
    checkpoint: str | Path | None,
    weights: str | None,
    pose: Sequence[str | Path] | None = None,
) -> Network:
    """The network that finds keypoints, by ``--config`` with ``--checkpoint``, ``--weights`` or ``--pose``.

    Args:
        pose: NAME, or CONFIG and CHECKPOINT.

    Raises:
        ValueError: several ways are mixed, or one is taken by half; or there are no such weights.
    """
    own = (config is not None) + (checkpoint is not None)
    if own + (weights is not None) == 0 and pose is not None:
        return named_network('--pose', pose)
    if own == 2 and weights is None and pose is None:
        return config, checkpoint
    if own or pose is not None:
        given = {
            '--config': config,
            '--checkpoint': checkpoint,
            '--weights': weights,
            '--pose': None if pose is None else ' '.join(map(str, pose)),
        }
        raise ValueError(
            f'the network: expected --config with --checkpoint, or --weights, or --pose, or none for the weights '
            f'{DEFAULT_WEIGHTS}, got ' + ', '.join(f'{option} {value}' for option, value in given.items() if value)
        )
    try:
        file = weights_file(weights or DEFAULT_WEIGHTS)
    except ValueError as e:
        raise ValueError(
            f'{e}; --config and --checkpoint name a network of your own, as `make demo` leaves one in work_dirs/demo'
        ) from None
    return config_file(file), f'{SCHEME}{file.stem}'


class CheckedNetwork(NamedTuple):
    """A network that a tool measures: its config, the file of its weights, their address, and a name for its folder."""

    config: str | Path
    file: Path
    address: str
    name: str


def checked_network(config: str | Path | None, checkpoint: str | Path | None, weights: str | None) -> CheckedNetwork:
    """The network of a tool that takes CONFIG and CHECKPOINT or ``--weights``.

    Raises:
        ValueError: it is not given in exactly one way, or there are no such weights.
    """
    if (config is not None) + (checkpoint is not None) != (0 if weights else 2):
        raise ValueError('the network: expected --weights NAME, or CONFIG and CHECKPOINT, and only one of both')
    if weights:
        file = weights_file(weights)
        return CheckedNetwork(config_file(file), file, f'{SCHEME}{file.stem}', file.stem)
    file = Path(checkpoint)
    return CheckedNetwork(config, file, str(file), f'{file.parent.name}-{file.stem}')
