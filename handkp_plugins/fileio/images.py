"""Pictures on disk: one reader for files, members of shards and frames of videos, with clear reasons; and writing."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import mmcv
import numpy as np

from .atomic import write_bytes
from .shards import SHARDS, is_shard_address, split_address
from .videos import VIDEOS, is_video_address

PHOTOGRAPH_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
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


def read_layers(address: str, flag: str = 'color', backend: str | None = None) -> np.ndarray:
    """Read a picture of a shard: uint8 [H, W, 4], colour and alpha, where a PNG of the same name lies beside it.

    Without that PNG it is [H, W, 3]. Colours are straight (not multiplied by alpha) and defined everywhere.

    Args:
        address: ``PATH.zip/NAME.jpg``.
        flag, backend: as in ``mmcv.imfrombytes``, for the colours.

    Raises:
        OSError: the shard is missing or cannot be read.
        ValueError: the shard or one of the two pictures is damaged, or their sizes differ.
    """
    shard, member = split_address(address)
    color = decode_image(SHARDS.read(shard, member), flag, backend)
    beside = f'{member.rpartition(".")[0]}.png'
    data = None if beside == member else SHARDS.read(shard, beside, optional=True)
    if data is None:
        return color
    alpha = decode_image(data, 'grayscale')
    if color.ndim != 3 or alpha.shape != color.shape[:2]:
        raise ValueError(f'expected alpha of the size of {member}, got {alpha.shape} beside {color.shape}')
    return cv2.merge([*cv2.split(color), alpha])


def is_address(path: str) -> bool:
    """Whether a path names no file, but a picture in one: a shard's member, or a video's frame."""
    return is_video_address(path) or is_shard_address(path)


def open_picture(
    path: str,
    flag: str = 'color',
    backend: str | None = None,
    read_file: Callable[[str], bytes] = lambda path: Path(path).read_bytes(),
) -> np.ndarray:
    """The picture at a path, of whatever kind: as :func:`decode_image` or :func:`read_layers` give it, or a video's
    frame (:mod:`~handkp_plugins.fileio.videos`), BGR.

    Args:
        flag, backend: as in ``mmcv.imfrombytes``; frames are in colour.
        read_file: reads a picture that is a file of its own.

    Raises:
        OSError: it is missing or cannot be read.
        ValueError: it cannot be decoded.
    """
    if is_video_address(path):
        if flag != 'color':
            raise ValueError(f"color_type: expected 'color' for a video, got {flag!r}")
        return VIDEOS.read(path)
    if is_shard_address(path):
        return read_layers(path, flag, backend)
    return decode_image(read_file(path), flag, backend)


def over(layers: np.ndarray, behind: np.ndarray | float) -> np.ndarray:
    """Lay a picture with alpha (H, W, 4) over another (H, W, 3), or over a plain grey of 0…255; uint8 (H, W, 3)."""
    alpha = layers[..., 3:].astype(np.float32) / 255
    return np.rint(behind + alpha * (layers[..., :3] - np.float32(behind))).astype(np.uint8)


_BEHIND_LAYERS = 128.0


def read_image(path: str | Path) -> np.ndarray:
    """:func:`open_picture` as BGR, uint8, [H, W, 3], with the path in the error; what has alpha is laid over mid grey.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, a JPEG without its end, or no image.
    """
    try:
        image = open_picture(str(path))
    except ValueError as e:
        raise ValueError(f'{path}: {e}') from None
    return over(image, _BEHIND_LAYERS) if image.shape[2] == 4 else image


def list_photographs(folder: Path) -> list[Path]:
    """All readable pictures below a folder, sorted.

    Raises:
        FileNotFoundError: the folder is missing or holds no picture that can be read; the message says which.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'backgrounds: expected an existing folder, got {folder}')
    found = sorted(p for p in folder.rglob('*') if p.suffix.lower() in PHOTOGRAPH_SUFFIXES)
    readable = [p for p in found if cv2.haveImageReader(str(p))]
    if not readable:
        raise FileNotFoundError(
            f'backgrounds: expected a folder with pictures ({", ".join(PHOTOGRAPH_SUFFIXES)}), '
            f'got {folder} with {len(found)} such files, none readable'
        )
    return readable


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format of the path's suffix; its folder is made where it is missing."""
    write_bytes(path, cv2.imencode(Path(path).suffix, image)[1].tobytes())
