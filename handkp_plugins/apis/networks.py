"""A network as users of the tools name it: NAME of shipped weights, or CONFIG and CHECKPOINT."""

from pathlib import Path
from typing import NamedTuple

from handkp_plugins.engine.checkpoint.shipped import SCHEME, available, config_file, weights_file

DEFAULT_POSE = 'lite'
"""The shipped weights that find keypoints where no network is named."""


class Network(NamedTuple):
    """A config and a checkpoint; the checkpoint of shipped weights is ``handkp://NAME``."""

    config: str | Path
    checkpoint: str | Path

    @property
    def file(self) -> Path:
        """The file of the weights."""
        address = str(self.checkpoint)
        return weights_file(address) if address.startswith(SCHEME) else Path(address)

    @property
    def name(self) -> str:
        """A name for the folder of its results."""
        file = self.file
        return file.stem if str(self.checkpoint).startswith(SCHEME) else f'{file.parent.name}-{file.stem}'


def find_network(*names: str | Path | None, weights: str | None = None, option: str = 'network') -> Network:
    """Return the network that an option or arguments name; ValueError for neither, both, or unknown weights.

    Args:
        names: NAME of shipped weights, or CONFIG and CHECKPOINT; None stands for an argument that is not given.
        weights: NAME, of tools with an option ``--weights``.
        option: What the error message calls it.
    """
    named = [name for name in (*names, weights) if name is not None]
    if len(named) == 2 and weights is None:
        return Network(*named)
    known = available()
    name = str(named[0]).removeprefix(SCHEME) if len(named) == 1 else None
    if name not in known:
        shipped = ', '.join(known) or 'none come with this version'
        got = ' '.join(map(str, named)) or 'none'
        raise ValueError(f'{option}: expected NAME of shipped weights ({shipped}), or CONFIG and CHECKPOINT, got {got}')
    return Network(config_file(known[name]), SCHEME + name)
