"""Frames of video files, in any order or one after the other.

An address is the video's path and the frame's index from 0, ``videos/clip.mp4#000123``. Frames are BGR, rotated as the
file says. Addresses need a constant frame rate, because frames are found by their time.
"""

import errno
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.webm')
_ADDRESS = re.compile(rf'(.+(?:{"|".join(re.escape(s) for s in VIDEO_SUFFIXES)}))#(\d+)', re.IGNORECASE)
_MAX_OPEN = 8
_END = 1 << 62  # the position of a capture after its last frame
_NEAR = 100  # frames: decoding them takes no longer than seeking, which decodes from the last key frame


def is_video_address(path: str) -> bool:
    """Whether a path names a frame of a video."""
    return _ADDRESS.fullmatch(path) is not None


def video_address(video: str | Path, index: int) -> str:
    """Return the address of a frame."""
    return f'{video}#{index:06d}'


def open_video(path: str | Path) -> cv2.VideoCapture:
    """Open a video for decoding in one thread, because data loaders have many processes.

    Raises FileNotFoundError, or ValueError if the file is no video, or lacks its beginning or its index.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened() or not capture.get(cv2.CAP_PROP_FPS) > 0:
        raise ValueError('the video cannot be opened: it is empty, damaged, or of an unknown format')
    return capture


def frame_index(capture: cv2.VideoCapture) -> int:
    """Return the index of the last decoded frame, by its time."""
    return round(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 * capture.get(cv2.CAP_PROP_FPS))


def holds_times(path: str | Path) -> bool:
    """Whether a video file has the time of each frame. AVI files have none."""
    with open(path, 'rb') as file:
        return file.read(4) != b'RIFF'


def number_frames(by_time: Sequence[int], announced: int, timed: bool = True) -> list[int]:
    """Return the index of each decoded frame, of which ``by_time`` has the index by its time if the file is ``timed``.

    If all announced frames were decoded, they are counted. If some are lost, the times of the others tell which, or a
    ValueError says that it is unknown.
    """
    lost = announced - len(by_time)
    if lost <= 0:
        return list(range(len(by_time)))
    rising = all(a < b for a, b in zip(by_time[:-1], by_time[1:], strict=True))
    if not timed or not rising or (by_time and by_time[-1] >= announced):
        reason = 'its frame rate varies' if timed else 'its format has no times'
        raise ValueError(f'{lost} of {announced} frames cannot be decoded, and it is unknown which, because {reason}')
    return list(by_time)


def read_frames(capture: cv2.VideoCapture) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the time in seconds and the BGR image of each frame, until one cannot be read."""
    while True:
        ok, frame = capture.read()
        if not ok:
            return
        yield capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, frame


@dataclass(frozen=True)
class FrameList:
    """The frames of a video that can be decoded one after the other, up to the first that fails."""

    path: str | Path
    indices: list[int]  # of these frames, rising
    lost: list[int]  # indices of the other announced frames
    regular: bool  # whether the times give the indices, so that VideoReader finds each frame

    def images(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the index and the BGR image of each frame."""
        return zip(self.indices, (image for _, image in read_frames(open_video(self.path))), strict=True)


def list_frames(path: str | Path, progress: Callable[[], object] = lambda: None) -> FrameList:
    """Decode a video to find out which frames it has; ``progress`` is called after each.

    Raises FileNotFoundError, or ValueError if the file is no video, no frame can be decoded, or it is unknown which are
    lost.
    """
    capture, by_time = open_video(path), []
    announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    while capture.grab():
        by_time.append(frame_index(capture))
        progress()
    indices = number_frames(by_time, announced, holds_times(path))
    if not indices:
        raise ValueError(f'none of its {announced} frames can be decoded')
    return FrameList(path, indices, sorted(set(range(announced)) - set(indices)), indices == by_time)


class VideoReader:
    """Reads frames of up to ``max_open`` open videos in any order; rising order is the fastest.

    A forked process opens the videos again, because it shares the positions in files with its parent.
    """

    def __init__(self, max_open: int = _MAX_OPEN) -> None:
        self.max_open = max_open
        self._clips: OrderedDict[str, _Clip] = OrderedDict()
        self._process = os.getpid()

    def read(self, address: str) -> np.ndarray:
        """Read the frame at an address, BGR uint8 [H, W, 3]; ValueError if video or frame cannot be decoded."""
        video, index = _ADDRESS.fullmatch(address).groups()
        if self._process != os.getpid():
            self._clips.clear()
            self._process = os.getpid()
        if video not in self._clips:
            clip = _Clip(video)
            while len(self._clips) >= self.max_open:
                self._clips.popitem(last=False)
            self._clips[video] = clip
        self._clips.move_to_end(video)
        return self._clips[video].read(int(index))


class _Clip:
    """An open video. ``at`` is the index of the last decoded frame, -1 before the first."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._rewind()

    def read(self, index: int) -> np.ndarray:
        near = 0 <= index - self.at <= _NEAR
        # Seeking may miss the frame, in a damaged video by far; decoding from the start is sure to find it.
        if not (near and self._decode_to(index)) and not (self._seek(index) and self._decode_to(index)):
            self._rewind()
            if not self._decode_to(index):
                announced = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
                raise ValueError(
                    f'frame {index} cannot be decoded: the video, of {announced} frames, is damaged or ends before it, '
                    'or its frame rate varies'
                )
        decoded, image = self.capture.retrieve()
        if not decoded:
            raise ValueError(f'frame {index} cannot be decoded')
        return image

    def _rewind(self) -> None:
        self.capture = open_video(self.path)
        self.at = -1

    def _seek(self, index: int) -> bool:
        self.at = -1
        return self.capture.set(cv2.CAP_PROP_POS_FRAMES, index)

    def _decode_to(self, index: int) -> bool:
        while self.at < index:
            self.at = frame_index(self.capture) if self.capture.grab() else _END
        return self.at == index


VIDEOS = VideoReader()
"""The reader of this process."""
