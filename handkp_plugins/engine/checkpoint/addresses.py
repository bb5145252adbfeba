"""Download checkpoints as bytes. MMEngine's loaders unpickle what they download, which may run any code."""

import http.client
import io
import os
import re
import sys
from difflib import get_close_matches
from hashlib import sha256
from urllib.parse import urlparse

from mmengine import fileio
from mmengine.dist import barrier, get_rank
from mmengine.runner.checkpoint import (
    _get_mmengine_home,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)
from torch import hub

from .shipped import SCHEME, weights_file

_TABLES = {
    'torchvision': get_torchvision_models,
    'modelzoo': get_torchvision_models,
    'open-mmlab': get_external_models,
    'openmmlab': get_external_models,
    'mmcls': get_mmcls_models,
}


def is_url(path: str) -> bool:
    """Whether ``path`` is an address such as ``https://…`` or ``torchvision://…``, not a file."""
    return re.match(r'\S+://', path) is not None


def resolve(address: str) -> str:
    """Return the URL or file of a name: ``handkp://NAME``, or a name in a table of MMEngine or torchvision.

    Other addresses are returned unchanged. Raises ValueError if the table has no such name.
    """
    if address.startswith(SCHEME):
        return str(weights_file(address))
    scheme, _, name = address.partition('://')
    if scheme not in _TABLES:
        return address
    table = _TABLES[scheme]()
    if scheme in ('open-mmlab', 'openmmlab'):
        name = get_deprecated_model_names().get(name, name)
    if name not in table:
        nearest = get_close_matches(name, table, n=3, cutoff=0)
        raise ValueError(f'{address}: expected a name that {scheme}:// knows, as {", ".join(nearest)}, got {name!r}')
    target = table[name]
    # The user may add files to MMEngine's table.
    return target if is_url(target) else os.path.join(_get_mmengine_home(), target)


def fetch(address: str) -> str | io.BytesIO:
    """Download a checkpoint and return its file in PyTorch's hub cache (``TORCH_HOME``), or its bytes.

    The address is ``https://``, a name for :func:`resolve`, or one of MMEngine's file backends, as ``s3://``. Every
    process must call this: the first downloads, and the others wait for it. Raises ConnectionError if that fails.
    """
    url = resolve(address)
    if not is_url(url):
        return url
    try:
        if not url.startswith(('http://', 'https://')):
            return io.BytesIO(fileio.get(url))
        file = _cached_file(url)
        if get_rank() == 0:
            try:
                _download(url, file)
            finally:
                barrier()  # after a failure, too: the other processes then try themselves
        else:
            barrier()
            _download(url, file)  # on another machine, or after the first failed
        return file
    except (OSError, http.client.HTTPException, ImportError, KeyError, ValueError) as e:
        raise ConnectionError(f'{address}: cannot be fetched ({type(e).__name__}: {e})') from e


def _cached_file(url: str) -> str:
    name = os.path.basename(urlparse(url).path)
    if not re.search(r'-[0-9a-f]{8,}\.', name):
        # Many files share a name such as epoch_1.pth; a name with a hash is unique.
        name = f'{sha256(url.encode()).hexdigest()[:12]}_{name}'
    return os.path.join(hub.get_dir(), 'checkpoints', name)


def _download(url: str, file: str) -> None:
    if not os.path.isfile(file):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        hub.download_url_to_file(url, file, progress=sys.stderr.isatty())
