"""Read a checkpoint without running anything that it contains."""

import errno
import io
import json
import os
import pickle
import re
import zipfile
from typing import Any

import torch

from handkp_plugins.errors import BrokenCheckpointError
from handkp_plugins.fileio.restricted_pickle import restore

from .addresses import fetch, is_url
from .plain_data import STOCK_GLOBALS
from .shipped import load_weights_file

# What PyTorch raises for damaged files; OSError if a part would lie beyond the end.
_DAMAGE = (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, OSError, zipfile.BadZipFile)


def read_checkpoint(path: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint of this project or of MMEngine, a bare state dict, or shipped weights.

    Args:
        path: A file, ``handkp://NAME``, or an address that MMEngine knows (``https://``, ``torchvision://``,
            ``s3://``). A file ``.safetensors`` is one of :mod:`handkp_plugins.engine.checkpoint.shipped`.
        map_location: As in ``torch.load``.

    Raises:
        FileNotFoundError: There is no such file.
        ConnectionError: The download failed.
        ValueError: The name in the address is unknown.
        BrokenCheckpointError: The file is cut short or no checkpoint, or holds objects that could run code.
    """
    path = os.path.expanduser(path)
    source = fetch(path) if is_url(path) else path
    if isinstance(source, str) and source != path:
        path = f'{path} (downloaded as {source})'
    if isinstance(source, str) and not os.path.isfile(source):
        raise FileNotFoundError(f'no checkpoint at {path}')
    if isinstance(source, str) and source.endswith('.safetensors'):
        return _read_weights_file(source, map_location)
    try:
        with torch.serialization.safe_globals(STOCK_GLOBALS):
            checkpoint = torch.load(source, map_location=map_location, weights_only=True)
        checkpoint = restore(checkpoint)
    except pickle.UnpicklingError as e:
        # PyTorch's message surrounds the reason with advice to load unsafely.
        reason = str(e).split('\n\nCheck the doc')[0].splitlines()[-1].rpartition('Unpickler error: ')[2]
        raise BrokenCheckpointError(
            f'{path}: refused: it is damaged or holds objects that could run code ({_first_sentence(reason)})'
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


def _details(source: str | io.BytesIO, error: Exception) -> str:
    size = os.path.getsize(source) if isinstance(source, str) else source.getbuffer().nbytes
    reason = _first_sentence(str(error))
    # PyTorch's reader of old formats raises KeyError and the like, with a mere byte as the message.
    return f'{size} bytes; {reason}' if re.search('[A-Za-z]{2}', reason) else f'{size} bytes'


def _first_sentence(text: str) -> str:
    return re.split(r'\. |\n', text.strip())[0][:200]
