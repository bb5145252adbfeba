"""Safe reading of the weights that ``init_cfg=dict(type='Pretrained', …)`` names, which MMEngine unpickles; and
``handkp://``, the address of this package's weights, for MMEngine and all that reads checkpoints by it."""

from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.errors import CheckpointError

from .shipped import SCHEME


def use_safe_loaders() -> None:
    """Let MMEngine read checkpoints by :func:`read_checkpoint` from now on, from wherever they come."""
    # All that are there, the local one and those registered by other packages too: what is left out would be unsafe.
    CheckpointLoader.register_scheme(list(CheckpointLoader._schemes), load_from_weights_only, force=True)


def load_from_weights_only(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint as MMEngine's loaders do, without running anything in it.

    Raises:
        CheckpointError: It is not there, cannot be fetched or is broken; says what to do instead.
    """
    try:
        checkpoint = read_checkpoint(filename, map_location)
    except (OSError, ValueError, CheckpointError) as e:
        if filename.startswith(SCHEME):  # no download that could be replaced by a file
            raise CheckpointError(str(e)) from e
        raise CheckpointError(
            f'{e}; to start from a local file: --cfg-options model.backbone.init_cfg.checkpoint=PATH, '
            'or from random weights: --cfg-options model.backbone.init_cfg=None'
        ) from e
    if filename.startswith('mmcls://'):  # whole classifiers, of which a backbone is wanted
        weights = checkpoint.get('state_dict', checkpoint)
        checkpoint = dict(state_dict={k[9:]: v for k, v in weights.items() if k.startswith('backbone.')})
    return checkpoint


CheckpointLoader.register_scheme(SCHEME, load_from_weights_only, force=True)
