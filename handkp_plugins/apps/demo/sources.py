"""Sources of images: an image, a folder of images, a video, or a camera."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from handkp_plugins.fileio.images import IMAGE_SUFFIXES, list_images
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES, read_frames

DEFAULT_RATE = 25.0
_CAMERA = re.compile(r'webcam:(.*)')


def is_stream(source: str | Path) -> bool:
    """Return whether a source is a video or a camera, rather than images."""
    is_video = Path(source).suffix.lower() in VIDEO_SUFFIXES and not Path(source).is_dir()
    return is_video or _CAMERA.fullmatch(str(source)) is not None


def find_images(source: Path) -> list[Path]:
    """Return the image files of a folder, or the one image file; other files in the folder are counted on stderr.

    Raises FileNotFoundError, or ValueError if the folder holds no image or the file has not the suffix of one.
    """
    if source.is_dir():
        files = list_images(source)
        if not files:
            raise ValueError(f'{source}: expected images ({" ".join(IMAGE_SUFFIXES)}) in this folder, got none')
        if others := sum(p.is_file() for p in source.iterdir()) - len(files):
            print(f'{source}: {others} other files are left out', file=sys.stderr)
        return files
    if not source.is_file():
        raise FileNotFoundError(f'{source}: no such file or folder')
    if source.suffix.lower() not in IMAGE_SUFFIXES:
        raise ValueError(
            f'{source}: expected a folder, an image ({" ".join(IMAGE_SUFFIXES)}), a video '
            f'({" ".join(VIDEO_SUFFIXES)}) or webcam:N, got {source.suffix!r}'
        )
    return [source]


class Stream:
    """The frames of a video or a camera: iterating gives (seconds since the first, BGR image), with rising seconds.

    The source is the path of a video, or ``webcam:N``. The first frame is read at once, so that a source without frames
    fails early: OSError for a video or camera that is missing or a camera without images, else ValueError.
    """

    def __init__(self, source: str | Path) -> None:
        self.name = str(source)
        camera = _CAMERA.fullmatch(self.name)
        self.is_camera = camera is not None
        self._capture = _open_camera(camera[1]) if camera else _open_video(Path(source))
        self._frames = read_frames(self._capture)
        self._first = next(self._frames, None)
        self._start = time.monotonic()
        if self._first is None:
            self._capture.release()
            if self.is_camera:
                raise OSError(f'{self.name}: the camera gives no image; does another program use it?')
            raise ValueError(f'{self.name}: not a video, or without any frame that can be read')
        self.announced = 0 if self.is_camera else max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """Number of frames that the video says it has; 0 if it is not known, as for a camera."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps < 1000 else DEFAULT_RATE
        if self.fps != fps:
            print(f'{self.name}: no frame rate; the written video has {self.fps:g} frames/s', file=sys.stderr)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first frame."""
        height, width = self._first[1].shape[:2]
        return width, height

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        last = 0.0
        yield last, self._first[1]
        for seconds, frame in self._frames:
            # times of a camera are unreliable; some videos have none, or the same for two frames
            seconds = time.monotonic() - self._start if self.is_camera else seconds - self._first[0]
            last = seconds if seconds > last else last + 1 / self.fps
            yield last, frame

    def close(self) -> None:
        """Release the video or the camera."""
        self._capture.release()


def _open_video(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file or folder')
    with _quiet_opencv():
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)  # other backends would look for a series of images


def _open_camera(number: str) -> cv2.VideoCapture:
    if not number.isdecimal():
        raise ValueError(f'source: expected webcam:N with an integer N from 0 on, got webcam:{number}')
    with _quiet_opencv():
        capture = cv2.VideoCapture(int(number))
    if not capture.isOpened():
        devices = ', '.join(sorted(str(p) for p in Path('/dev').glob('video*'))) or 'none'
        raise OSError(
            f'webcam:{number}: the camera cannot be opened: it is not plugged in, another program uses it, or '
            f'this user may not (devices /dev/video*: {devices})'
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame rather than one that has waited
    return capture


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Silence OpenCV, whose backends each log that a source is missing."""
    log = cv2.utils.logging
    level = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)
