"""Where frames go: a video file or a window; and the rate at which they come."""

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

_CODECS = {'.mp4': 'mp4v', '.webm': 'VP80'}
_SMOOTHING = 0.9  # weight of the past in the mean time between frames


class VideoFile:
    """A context manager that appends frames to a video file: MP4, or WebM, which browsers play.

    The suffix of the path, .mp4 or .webm, names the format. The file is opened at the first frame. Leaving the context,
    also by an exception, closes the file so that it can be played. Without an exception the number of frames in the
    file is checked, because OpenCV does not report a full disk; OSError if it lacks some, or cannot be opened.
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
        size = frame.shape[1::-1]
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._size = size
            codec = cv2.VideoWriter_fourcc(*_CODECS[self.path.suffix])
            self._writer = cv2.VideoWriter(str(self.path), codec, self.fps, size)
            if not self._writer.isOpened():
                raise OSError(f'{self.path}: the video cannot be written')
        if size != self._size:  # OpenCV would silently drop the frame
            raise ValueError(f'{self.path}: frame {self.num_frames}: expected size {self._size}, got {size}')
        self._writer.write(frame)
        self.num_frames += 1

    def append_until(self, frame: np.ndarray, seconds: float) -> None:
        """Append a frame once, or as often as the video needs to last ``seconds``.

        Frames of a camera arrive at the speed of the network; this keeps them at their own time in the video.
        """
        for _ in range(max(1, round(seconds * self.fps) + 1 - self.num_frames)):
            self.append(frame)

    def __enter__(self) -> 'VideoFile':
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is None:
            return
        self._writer.release()
        written = int(cv2.VideoCapture(str(self.path)).get(cv2.CAP_PROP_FRAME_COUNT))
        if kind is None and written != self.num_frames:
            raise OSError(f'{self.path}: {written} of {self.num_frames} frames were written (is the disk full?)')


class Window:
    """An OpenCV window; raises ValueError if there is no display."""

    def __init__(self, title: str) -> None:
        # without a display OpenCV would end the whole program
        if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise ValueError('--show: expected a display, but DISPLAY is not set; without --show all goes to files')
        self.title = title
        cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE)

    def show(self, image: np.ndarray) -> bool:
        """Show an image; return False if the user has pressed q or closed the window."""
        cv2.imshow(self.title, image)
        pressed = cv2.waitKey(1) & 0xFF
        return pressed != ord('q') and cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        cv2.destroyAllWindows()


class FrameRate:
    """Smoothed frames per second; call :meth:`tick` once per frame."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval: float | None = None

    def tick(self) -> float | None:
        """Return the rate including this frame; None at the first."""
        now, last = time.perf_counter(), self._last
        self._last = now
        if last is None:
            return None
        elapsed = now - last
        self._interval = elapsed if self._interval is None else _SMOOTHING * self._interval + (1 - _SMOOTHING) * elapsed
        return 1 / max(self._interval, 1e-6)


def draw_rate(image: np.ndarray, rate: float) -> None:
    """Write frames per second into the upper left corner, white with a dark outline, in place."""
    size = max(0.4, image.shape[0] / 900)
    place = (round(12 * size), round(34 * size))
    for ink, width in ((40, 4), (255, 1)):
        cv2.putText(
            image, f'{rate:.1f} fps', place, cv2.FONT_HERSHEY_SIMPLEX, size, (ink, ink, ink), width, cv2.LINE_AA
        )
