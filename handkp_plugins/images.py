"""Pictures on disk: one reader with clear reasons, and writing."""

import re
from pathlib import Path

import cv2
import mmcv
import numpy as np

from .files import write_bytes

# A marker that something follows: not a stuffed 0xFF, not a restart within a scan, not one that stands alone.
_JPEG_MARKER = re.compile(rb'\xff+([^\x00\x01\xd0-\xd8\xff])', re.DOTALL)


def is_truncated_jpeg(data: bytes) -> bool:
    """Whether the bytes are a JPEG file without its end marker.

    A decoder may fill the missing rows with grey; a network must not learn from those. What lies within a segment of
    the header (a thumbnail has an end marker of its own), or after the end (a phone may append a video), is no matter.
    """
    at = 2
    if not data.startswith(b'\xff\xd8'):
        return False
    while found := _JPEG_MARKER.search(data, at):
        if found[1] == b'\xd9':
            return False
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], 'big')
    return True


def decode_image(data: bytes, flag: str = 'color', backend: str | None = None) -> np.ndarray:
    """Decode an image file's bytes, by default as BGR uint8 [H, W, 3], rotated as its EXIF data ask.

    Args:
        flag, backend: as in ``mmcv.imfrombytes``.

    Raises:
        ValueError: it is empty, a JPEG without its end, or no image.
    """
    if not data:
        raise ValueError('the file is empty')
    if is_truncated_jpeg(data):
        raise ValueError('truncated JPEG: its end marker is missing')
    try:
        image = mmcv.imfrombytes(data, flag=flag, backend=backend)
    except (cv2.error, OSError) as e:
        raise ValueError(f'not a readable image: {" ".join(str(e).split())}') from e
    if image is None:
        raise ValueError('not a readable image: the decoder refuses it')
    return image


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as :func:`decode_image` does, with the path in the error.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, a JPEG without its end, or no image.
    """
    data = Path(path).read_bytes()
    try:
        return decode_image(data)
    except ValueError as e:
        raise ValueError(f'{path}: {e}') from None


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format of the path's suffix; its folder is made where it is missing."""
    write_bytes(path, cv2.imencode(Path(path).suffix, image)[1].tobytes())
