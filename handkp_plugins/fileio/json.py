"""Reading of JSON files, with errors that name the file."""

import json
from pathlib import Path
from typing import Any


def read_json(path: str | Path, expected: str = 'a COCO file') -> Any:
    """Read a JSON file, local or at an address that MMEngine reads (``s3://…``).

    Raises FileNotFoundError, or ValueError if it is empty or no JSON; messages say what was ``expected``.
    """
    try:
        data = _read_remote(str(path)) if '://' in str(path) else Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: no such file; expected {expected}') from None
    if not data.strip():
        raise ValueError(f'{path}: expected {expected} in JSON, got an empty file')
    try:
        return json.loads(data)
    except ValueError as e:  # also of bytes that are no text
        raise ValueError(f'{path}: expected {expected} in JSON, got text that does not parse ({e})') from None


def _read_remote(address: str) -> bytes:
    from mmengine import fileio

    if not fileio.exists(address):
        raise FileNotFoundError
    return fileio.get(address)
