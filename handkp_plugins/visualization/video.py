"""Videos written to disk."""

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

_CODECS = {'.mp4': 'mp4v', '.webm': 'VP80'}


class VideoFile:
    """A video file that frames are appended to, opened at the first of them: MP4, or WebM, which browsers play.

    A context manager: leaving it, also by an exception, closes the file so that it can be played. After an orderly
    end the number of frames in the file is checked, because OpenCV says nothing when the disk is full.

    Args:
        path: its suffix, .mp4 or .webm, names the format.
        fps: frames a second.

    Raises:
        OSError: the file cannot be opened, or is not whole.
        ValueError: another suffix is given, or a frame has another size than the first.
    """

    def __init__(self, path: str | Path, fps: float) -> None:
        self.path, self.fps = Path(path), fps
        if self.path.suffix not in _CODECS:
            raise ValueError(f'{path}: expected a suffix of {" ".join(_CODECS)}, got {self.path.suffix!r}')
        self.num_frames = 0
        self._size: tuple[int, int] | None = None
        self._writer: cv2.VideoWriter | None = None

    def append(self, frame: np.ndarray) -> None:
        """Append one BGR frame; all must have the size of the first."""
        size = (frame.shape[1], frame.shape[0])
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._size = size
            codec = cv2.VideoWriter_fourcc(*_CODECS[self.path.suffix])
            self._writer = cv2.VideoWriter(str(self.path), codec, self.fps, size)
            if not self._writer.isOpened():
                raise OSError(f'{self.path}: the video cannot be written')
        if size != self._size:  # OpenCV would leave the frame out without a word
            raise ValueError(f'{self.path}: frame {self.num_frames}: expected size {self._size}, got {size}')
        self._writer.write(frame)
        self.num_frames += 1

    def append_until(self, frame: np.ndarray, seconds: float) -> None:
        """Append a frame as often as the video needs to last until this time, and once at least: so the frames of a
        camera, which come as fast as they are worked on, are played in their own time."""
        for _ in range(max(1, round(seconds * self.fps) + 1 - self.num_frames)):
            self.append(frame)

    def __enter__(self) -> 'VideoFile':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        written = int(cv2.VideoCapture(str(self.path)).get(cv2.CAP_PROP_FRAME_COUNT))
        if kind is None and written != self.num_frames:
            raise OSError(f'{self.path}: {written} of {self.num_frames} frames were written (is the disk full?)')
