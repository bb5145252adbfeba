"""Small videos whose frames can be told apart."""

from pathlib import Path

import cv2
import numpy as np

SIZE = (96, 64)


def picture(index: int) -> np.ndarray:
    """Frame ``index``, BGR: noise, which makes its JPEG large, beside its index as grey in the left half."""
    image = np.random.default_rng(index).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    image[:, : SIZE[0] // 2] = 6 * index
    return image


def index_of(image: np.ndarray) -> int:
    """Which :func:`picture` it is, of the first 40."""
    return round((float(image[8:-8, 8:40].mean()) + 2) / 6)  # mp4v makes it up to 5 darker


def write_video(path: Path, num_frames: int = 12, codec: str = 'MJPG', key: int = 0) -> Path:
    """A video of pictures ``key``, ``key + 1`` …; in MJPG each frame stands for itself, in mp4v it changes the last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, SIZE)
    assert writer.isOpened()
    for i in range(num_frames):
        writer.write(picture(key + i))
    writer.release()
    return path


def damage(path: Path, frames: tuple[int, ...]) -> None:
    """Blank these frames of a video in MJPG, each of which begins with the marks of a JPEG."""
    data = bytearray(path.read_bytes())
    starts, at = [], data.find(b'\xff\xd8\xff')
    while at >= 0:
        starts.append(at)
        at = data.find(b'\xff\xd8\xff', at + 3)
    for i in frames:
        data[starts[i] + 2 : starts[i] + 2000] = bytes(1998)
    path.write_bytes(data)
