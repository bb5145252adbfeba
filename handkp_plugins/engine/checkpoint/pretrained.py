"""Let MMEngine read checkpoints safely, as for ``init_cfg=dict(type='Pretrained', …)``, and know ``handkp://``."""

from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.errors import CheckpointError

from .shipped import SCHEME


def use_safe_loaders() -> None:
    """Let MMEngine read all checkpoints by :func:`read_checkpoint`, also from addresses that other packages added."""
    CheckpointLoader.register_scheme(list(CheckpointLoader._schemes), load_from_weights_only, force=True)


def load_from_weights_only(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint for MMEngine, without running anything in it.

    Raises CheckpointError if it is missing or broken, or cannot be downloaded; the message says what to do instead.
    """
    try:
        checkpoint = read_checkpoint(filename, map_location)
    except (OSError, ValueError, CheckpointError) as e:
        if filename.startswith(SCHEME):  # part of the package: no other place to take it from
            raise CheckpointError(str(e)) from e
        raise CheckpointError(
            f'{e}; to start from a local file: --cfg-options model.backbone.init_cfg.checkpoint=PATH, '
            'or from random weights: --cfg-options model.backbone.init_cfg=None'
        ) from e
    if filename.startswith('mmcls://'):  # holds classifiers, of which only the backbone is used
        weights = checkpoint.get('state_dict', checkpoint)
        checkpoint = dict(state_dict={k[9:]: v for k, v in weights.items() if k.startswith('backbone.')})
    return checkpoint


CheckpointLoader.register_scheme(SCHEME, load_from_weights_only, force=True)
