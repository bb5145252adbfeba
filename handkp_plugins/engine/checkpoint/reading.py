"""Reading, writing and finding checkpoints, without running anything that they contain."""

import errno
import io
import json
import logging
import os
import pickle
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from handkp_plugins.fileio.atomic import write_failure

from .addresses import fetch, is_address
from .plain_data import STOCK_GLOBALS, from_stock
from .shipped import differing_parts, load_weights_file

# Keys that come and go without changing what a network computes.
HARMLESS_KEYS = re.compile(r'num_batches_tracked$|^data_preprocessor\.|(^|\.)loss_module\.')


# What PyTorch raises, depending on where a file is damaged; OSError where it looks for a part beyond the end.
_DAMAGE = (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, OSError, zipfile.BadZipFile)


class CheckpointError(RuntimeError):
    """A checkpoint cannot serve: another network's, without what is needed, or broken."""


class BrokenCheckpointError(CheckpointError):
    """The file is not a whole checkpoint, or holds objects that no checkpoint may hold."""


def read_checkpoint(path: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint of this project, of MMEngine or a bare state dict, by ``weights_only`` loading, or weights
    that the package ships.

    Args:
        path: A file, ``handkp://NAME`` for shipped weights, or an address that MMEngine knows (``https://``,
            ``torchvision://``, ``s3://``); what it leads to is downloaded as bytes and read as a file is. A file
            ``.safetensors`` is one of :mod:`handkp_plugins.engine.checkpoint.shipped`.
        map_location: As in ``torch.load``.

    Raises:
        FileNotFoundError: No such file.
        ConnectionError: The address cannot be fetched.
        ValueError: The address is a name that this package, or MMEngine and torchvision, do not know.
        BrokenCheckpointError: Cut short, no checkpoint at all, or with objects outside the short list of
            :data:`~handkp_plugins.engine.checkpoint.plain_data.STOCK_GLOBALS`.
    """
    path = os.path.expanduser(path)
    source = fetch(path) if is_address(path) else path
    if isinstance(source, str) and source != path:
        path = f'{path} (downloaded as {source})'
    if isinstance(source, str) and not os.path.isfile(source):
        raise FileNotFoundError(f'no checkpoint at {path}')
    if isinstance(source, str) and source.endswith('.safetensors'):
        return _read_weights_file(source, map_location)
    try:
        with torch.serialization.safe_globals(STOCK_GLOBALS):
            checkpoint = torch.load(source, map_location=map_location, weights_only=True)
        checkpoint = from_stock(checkpoint)
    except pickle.UnpicklingError as e:
        # PyTorch's message surrounds the reason with advice to load unsafely.
        reason = str(e).split('\n\nCheck the doc')[0].splitlines()[-1].rpartition('Unpickler error: ')[2]
        raise BrokenCheckpointError(
            f'{path}: refused, for it is damaged or holds objects that could run code ({_first_sentence(reason)})'
        ) from None
    except _DAMAGE as e:
        if isinstance(e, OSError) and e.errno != errno.EINVAL:
            raise
        raise BrokenCheckpointError(
            f'{path}: not a whole checkpoint; it was cut short while being written or copied, or is another kind of '
            f'file ({_details(source, e)})'
        ) from None
    if not isinstance(checkpoint, dict):
        raise BrokenCheckpointError(
            f'{path}: expected a checkpoint, which is a dictionary, got {type(checkpoint).__name__}'
        )
    return checkpoint


def _read_weights_file(path: str, map_location: Any) -> dict[str, Any]:
    try:
        weights, metadata = load_weights_file(path)
    except ValueError as e:
        raise BrokenCheckpointError(str(e)) from None
    if isinstance(map_location, (str, torch.device)):
        weights = {name: weight.to(map_location) for name, weight in weights.items()}
    meta: dict[str, Any] = dict(handkp_weights=metadata)
    if 'classes' in metadata:  # MMDetection would take COCO's
        meta['dataset_meta'] = dict(classes=tuple(json.loads(metadata['classes'])))
    return dict(state_dict=weights, meta=meta)


def load_weights(
    model: nn.Module,
    checkpoint: dict[str, Any],
    path: str,
    partial: bool = False,
    revise_keys: Sequence[tuple[str, str]] = ((r'^module\.', ''),),
) -> None:
    """Copy a checkpoint's weights into ``model``.

    Args:
        model: The network, wrapped for distributed training or not.
        checkpoint: What :func:`read_checkpoint` returned.
        path: The checkpoint's name, for messages.
        partial: Allow that only a part fits, as when a backbone's weights start a training. What does not fit is listed
            in a warning; that nothing fits is an error all the same.
        revise_keys: (pattern, replacement) pairs applied to the names in the checkpoint.

    Raises:
        CheckpointError: The weights are another network's.
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
    # PyTorch calls this hook before it raises for sizes, so that all three lists are at hand in any case.
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
    lists = {what: [k for k in keys if not HARMLESS_KEYS.search(k)] for what, keys in lists.items()}
    lists = {what: keys for what, keys in lists.items() if keys}
    if not lists:
        return
    total = len([k for k in model.state_dict() if not HARMLESS_KEYS.search(k)])
    fitting = total - len(lists.get('missing', [])) - len(lists.get('of another size', []))
    details = '; '.join(f'{len(keys)} {what}: {_some(keys)}' for what, keys in lists.items())
    if not partial or fitting == 0:
        raise CheckpointError(
            f'{path}: the weights are of another network than the config describes: {fitting} of {total} weights fit; '
            f'{details}'
        )
    print_log(f'{path}: {fitting} of {total} weights fit and were loaded; {details}', 'current', logging.WARNING)


def warn_of_other_network(checkpoint: dict[str, Any], cfg: Config, path: str) -> None:
    """Warn where shipped weights were trained with another network than a config describes. Their shapes may fit all
    the same, as where pictures are normalised otherwise."""
    metadata = checkpoint.get('meta', {}).get('handkp_weights')
    if metadata and (parts := differing_parts(metadata, cfg)):
        print_log(
            f'{path}: trained with {metadata["config"]} of handkp_plugins {metadata["project_version"]}, from which '
            f'this config differs in: {", ".join(parts)}',
            'current',
            logging.WARNING,
        )


def find_checkpoints(work_dir: str) -> list[str]:
    """Checkpoints to resume from, the most wanted first: that which ``last_checkpoint`` names, then by epoch.

    Where some are counted by epochs and some by iterations, the kind that was written last comes first. The number goes
    before the time, for a copied work dir has arbitrary times.
    """
    pointer = Path(work_dir, 'last_checkpoint')
    named = Path(pointer.read_text().strip() if pointer.is_file() else '')
    # The checkpoint hook may have a folder of its own (out_dir); a copied work dir still names the old place.
    for folder in (Path(work_dir), named.parent):
        files = [f for f in folder.glob('*.pth') if re.fullmatch(r'(epoch|iter)_\d+', f.stem)]
        if files or not named.name:
            break

    last_of_kind: dict[str, int] = {}
    for file in files:
        kind = file.stem.split('_')[0]
        last_of_kind[kind] = max(last_of_kind.get(kind, 0), file.stat().st_mtime_ns)

    def newest_first(file: Path) -> tuple[bool, int, int]:
        kind, number = file.stem.split('_')
        return file.name == named.name, last_of_kind[kind], int(number)

    return [str(f) for f in sorted(files, key=newest_first, reverse=True)]


def check_writable(folder: str, what: str = 'work dir', option: str = '--work-dir') -> None:
    """Make ``folder`` where it is missing and write a little into it.

    Args:
        folder: Where something will be written.
        what: The folder's name in the message.
        option: The argument that chooses it.

    Raises:
        OSError: It cannot be made or written to; the message names it and says why.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as f:
            f.write(bytes(1 << 16))
            f.flush()
            os.fsync(f.fileno())
    except OSError as e:
        reason = f'cannot write to the {what}: {write_failure(folder, e)}; choose another by {option}'
        raise type(e)(e.errno, reason, folder) from e


def _some(keys: Sequence[str], limit: int = 3) -> str:
    return ', '.join(keys[:limit]) + (', ...' if len(keys) > limit else '')


def _details(source: str | io.BytesIO, error: Exception) -> str:
    size = os.path.getsize(source) if isinstance(source, str) else source.getbuffer().nbytes
    reason = _first_sentence(str(error))
    # PyTorch's reader of old formats raises KeyError and the like, with a mere byte as the message.
    return f'{size} bytes; {reason}' if re.search('[A-Za-z]{2}', reason) else f'{size} bytes'


def _first_sentence(text: str) -> str:
    return re.split(r'\. |\n', text.strip())[0][:200]
