"""A rendering as two images, colour and alpha, and shards of such images."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from handkp_plugins.fileio.atomic import atomic_write

_TRUST = 4  # a pixel of which a quarter is covered has a colour of its own
_PNG_LEVEL = 3
_DAY = (1980, 1, 1, 0, 0, 0)  # the same images give the same file, whenever they are made


def extend_colors(color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide colours (H, W, 3) by their coverage (H, W) 0…1, and extend them beyond the edge of what was drawn.

    So neither JPEG's blocks nor a warp mix the hand with black. Each level of a pyramid is the one above it, shrunk
    with its coverage; from the coarsest down, each level fills its gaps from the next coarser one.
    """
    levels = [np.dstack([color, alpha]).astype(np.float32)]
    while min(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    filled = np.zeros((1, 1, 3), np.float32)
    for level in reversed(levels):
        straight = level[..., :3] / np.maximum(level[..., 3:], 1e-6)
        share = np.minimum(_TRUST * level[..., 3:], 1)
        filled = cv2.resize(filled, level.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(straight.shape)
        filled = filled + share * (straight - filled)
    return filled


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encode an RGB image (H, W, 3) uint8 as a JPEG file."""
    return cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def encode_png(alpha: np.ndarray) -> bytes:
    """Encode coverage (H, W) 0…1 as a grey PNG file of 8 bit."""
    grey = np.rint(255 * alpha).astype(np.uint8)
    return cv2.imencode('.png', grey, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])[1].tobytes()


def write_shard(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write members (name, bytes) to a zip file as they come; the file is there whole or not."""
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, 'w', zipfile.ZIP_STORED) as shard:
        for name, data in members:
            shard.writestr(zipfile.ZipInfo(name, _DAY), data)
