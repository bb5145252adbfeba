"""Files written whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced_whole(path: str | Path) -> Iterator[str]:
    """Yield the name of a temporary file beside ``path``; move it there once it is written and on the disk.

    The folder is made where it is missing.

    Raises:
        OSError: It cannot be written; the message names ``path``, which is as it was; the temporary file is gone.
    """
    path = os.fspath(path)
    temporary = f'{path}.{os.getpid()}.tmp'
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        yield temporary
        with open(temporary, 'rb') as f:
            os.fsync(f.fileno())
        os.replace(temporary, path)
    except OSError as e:
        raise type(e)(e.errno, f'cannot be written: {write_failure(path, e)}', path) from e
    finally:
        with suppress(OSError):  # gone already after the replacement, or never made
            os.unlink(temporary)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file, all of it or nothing; raises as :func:`replaced_whole` does."""
    with replaced_whole(path) as temporary:
        Path(temporary).write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8, all of it or nothing; raises as :func:`replaced_whole` does."""
    write_bytes(path, text.encode())


def write_failure(path: str, error: OSError) -> str:
    """Why a file or folder cannot be written; on a full disk with the space that is left."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason += f' ({shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free / 1e6:.1f} MB free)'
    return reason
