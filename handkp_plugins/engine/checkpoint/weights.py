"""Copy the weights of a checkpoint into a network, and refuse those of another network."""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from handkp_plugins.errors import CheckpointError

from .shipped import differing_parts

# Keys that come and go without changing what a network computes.
HARMLESS_KEYS = re.compile(r'num_batches_tracked$|^data_preprocessor\.|(^|\.)loss_module\.')


def load_weights(
    model: nn.Module,
    checkpoint: dict[str, Any],
    path: str,
    partial: bool = False,
    revise_keys: Sequence[tuple[str, str]] = ((r'^module\.', ''),),
) -> None:
    """Copy the weights of a checkpoint into ``model``; raises CheckpointError if they are of another network.

    Args:
        model: The network, wrapped for distributed training or not.
        checkpoint: What :func:`read_checkpoint` returned from ``path``.
        partial: Load the weights that fit and warn of the rest, as when a backbone's weights start a training. It is
            still an error if nothing fits.
        revise_keys: (pattern, replacement) pairs applied to the names in the checkpoint.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    stored = checkpoint.get('state_dict', checkpoint)
    weights = type(stored)()
    for key, value in stored.items():
        for pattern, replacement in revise_keys:
            key = re.sub(pattern, replacement, key)
        weights[key] = value
    if hasattr(stored, '_metadata'):
        weights._metadata = stored._metadata

    lists: dict[str, list[str]] = {}
    # PyTorch calls this hook before it raises for sizes.
    hook = model.register_load_state_dict_post_hook(
        lambda _, keys: lists.update(missing=keys.missing_keys, unexpected=keys.unexpected_keys)
    )
    try:
        model.load_state_dict(weights, strict=False)
    except RuntimeError as e:
        lists['of another size'] = re.findall(r'size mismatch for (\S+):', str(e))
        if not lists['of another size']:
            raise CheckpointError(f'{path}: its weights cannot be loaded: {e}') from None
    finally:
        hook.remove()
    lists = {what: found for what, keys in lists.items() if (found := _important(keys))}
    if not lists:
        return
    total = len(_important(model.state_dict()))
    fitting = total - len(lists.get('missing', [])) - len(lists.get('of another size', []))
    details = '; '.join(f'{len(keys)} {what}: {_some(keys)}' for what, keys in lists.items())
    if not partial or fitting == 0:
        raise CheckpointError(
            f'{path}: the weights are of another network than the config describes: {fitting} of {total} weights fit; '
            f'{details}'
        )
    print_log(f'{path}: {fitting} of {total} weights fit and were loaded; {details}', 'current', logging.WARNING)


def warn_of_other_network(checkpoint: dict[str, Any], cfg: Config, path: str) -> None:
    """Warn if shipped weights belong to another network than the config describes, though all shapes may fit."""
    metadata = checkpoint.get('meta', {}).get('handkp_weights')
    if metadata and (parts := differing_parts(metadata, cfg)):
        print_log(
            f'{path}: trained with {metadata["config"]} of handkp_plugins {metadata["project_version"]}, from which '
            f'this config differs in: {", ".join(parts)}',
            'current',
            logging.WARNING,
        )


def _important(keys: Iterable[str]) -> list[str]:
    return [k for k in keys if not HARMLESS_KEYS.search(k)]


def _some(keys: Sequence[str], limit: int = 3) -> str:
    return ', '.join(keys[:limit]) + (', ...' if len(keys) > limit else '')
