"""Writing of files completely or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_write(path: str | Path) -> Iterator[str]:
    """Yield the name of a temporary file, and rename it to ``path`` once it is written and on the disk.

    The folder is made if it is missing. An OSError names ``path``, which is unchanged then.
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
        with suppress(OSError):  # renamed already, or never made
            os.unlink(temporary)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file by :func:`atomic_write`."""
    with atomic_write(path) as temporary:
        Path(temporary).write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8 by :func:`atomic_write`."""
    write_bytes(path, text.encode())


def write_failure(path: str, error: OSError) -> str:
    """Tell why a file or folder cannot be written; on a full disk also the free space."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason += f' ({shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free / 1e6:.1f} MB free)'
    return reason
