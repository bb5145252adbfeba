"""Reading and writing of images: files, members of shards and frames of videos, with clear reasons for failures."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import mmcv
import numpy as np

from .atomic import write_bytes
from .shards import SHARDS, is_shard_address, split_address
from .videos import VIDEOS, is_video_address

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_GREY = 128.0  # behind images with alpha
# A marker that starts a segment: not a stuffed 0xFF, not a restart within a scan, not one that stands alone.
_JPEG_MARKER = re.compile(rb'\xff+([^\x00\x01\xd0-\xd8\xff])', re.DOTALL)


def is_truncated_jpeg(data: bytes) -> bool:
    """Whether the bytes are a JPEG file without its end marker.

    A decoder may fill the missing rows with grey, which a network must not learn. Segments of the header (a thumbnail
    has its own end marker) and bytes after the end (a phone may append a video) are skipped.
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
    """Decode an image file as ``mmcv.imfrombytes`` does: by default BGR uint8 [H, W, 3], rotated by its EXIF data.

    Raises ValueError if the file is empty, a truncated JPEG, or no image.
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
    """Read an image of a shard, ``PATH.zip/NAME.jpg``, as :func:`decode_image` does.

    If the shard has a PNG of the same name, it is the alpha channel, and the image is [H, W, 4]. Colours are straight
    (not multiplied by alpha). Raises ValueError if the shard or a file is damaged, or the sizes of both differ.
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


def is_image_address(path: str) -> bool:
    """Whether a path names an image inside a file: a member of a shard or a frame of a video."""
    return is_video_address(path) or is_shard_address(path)


def open_image(
    path: str,
    flag: str = 'color',
    backend: str | None = None,
    read_file: Callable[[str], bytes] = lambda path: Path(path).read_bytes(),
) -> np.ndarray:
    """Read an image file, a member of a shard (:func:`read_layers`) or a frame of a video (BGR).

    Args:
        flag, backend: As in ``mmcv.imfrombytes``; frames of videos are always in colour.
        read_file: Reads the bytes of an image file.

    Raises OSError if the file is missing or cannot be read, and ValueError if it cannot be decoded.
    """
    if is_video_address(path):
        if flag != 'color':
            raise ValueError(f"color_type: expected 'color' for a video, got {flag!r}")
        return VIDEOS.read(path)
    if is_shard_address(path):
        return read_layers(path, flag, backend)
    return decode_image(read_file(path), flag, backend)


def alpha_composite(image: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    """Lay an image with alpha (H, W, 4) over a background (H, W, 3), or over a grey value; uint8 (H, W, 3)."""
    alpha = image[..., 3:].astype(np.float32) / 255
    return np.rint(background + alpha * (image[..., :3] - np.float32(background))).astype(np.uint8)


def read_image(path: str | Path) -> np.ndarray:
    """Read any image of :func:`open_image` as BGR uint8 [H, W, 3]; an image with alpha is laid over mid grey.

    Raises OSError if the file cannot be read, and ValueError, which starts with the path, if it cannot be decoded.
    """
    try:
        image = open_image(str(path))
    except ValueError as e:
        raise ValueError(f'{path}: {e}') from None
    return alpha_composite(image, _GREY) if image.shape[2] == 4 else image


def list_images(folder: Path, recursive: bool = False) -> list[Path]:
    """Return the files of a folder that have the suffix of an image, sorted."""
    return sorted(
        p for p in folder.glob('**/*' if recursive else '*') if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()
    )


def list_photographs(folder: Path) -> list[Path]:
    """Return the images in a folder and its subfolders that OpenCV can read, sorted; FileNotFoundError without any."""
    if not folder.is_dir():
        raise FileNotFoundError(f'backgrounds: expected an existing folder, got {folder}')
    found = list_images(folder, recursive=True)
    readable = [p for p in found if cv2.haveImageReader(str(p))]
    if not readable:
        raise FileNotFoundError(
            f'backgrounds: expected a folder with images ({", ".join(IMAGE_SUFFIXES)}), '
            f'got {folder} with {len(found)} such files, none readable'
        )
    return readable


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format of the path's suffix, and make its folder if it is missing."""
    write_bytes(path, cv2.imencode(Path(path).suffix, image)[1].tobytes())
