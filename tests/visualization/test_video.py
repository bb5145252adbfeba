from pathlib import Path

import cv2
import numpy as np
import pytest

from handkp_plugins.fileio.videos import read_frames
from handkp_plugins.visualization import video as module
from handkp_plugins.visualization.video import FrameRate, VideoFile, draw_rate


def frame(value: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize('name', ['v.mp4', 'v.webm'])
def test_video_there_and_back(tmp_path: Path, name: str):
    with VideoFile(tmp_path / 'neu' / name, fps=10) as video:
        for i in range(4):
            video.append(frame(60 * i))
    times, frames = zip(*read_frames(cv2.VideoCapture(str(video.path))), strict=True)
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3], atol=1e-3)
    np.testing.assert_allclose([f.mean() for f in frames], [0, 60, 120, 180], atol=6)


def test_no_format_of_a_video(tmp_path: Path):
    with pytest.raises(ValueError, match=r"v.gif: expected a suffix of .mp4 .webm, got '.gif'"):
        VideoFile(tmp_path / 'v.gif', fps=10)


def test_video_without_frames_is_not_written(tmp_path: Path):
    with VideoFile(tmp_path / 'v.mp4', fps=10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_video_is_playable_after_an_exception(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), VideoFile(tmp_path / 'v.mp4', fps=10) as video:
        video.append(frame(0))
        video.append(frame(9))
        raise KeyboardInterrupt
    assert len(list(read_frames(cv2.VideoCapture(str(video.path))))) == 2


def test_frame_of_another_size(tmp_path: Path):
    with (
        pytest.raises(ValueError, match=r'v.mp4: frame 1: expected size \(64, 48\), got \(64, 50\)'),
        VideoFile(tmp_path / 'v.mp4', fps=10) as video,
    ):
        video.append(frame(0))
        video.append(frame(0, height=50))


def test_frames_lost_on_the_way_are_noticed(tmp_path: Path):
    with (
        pytest.raises(OSError, match=r'v.mp4: 2 of 3 frames were written'),
        VideoFile(tmp_path / 'v.mp4', fps=10) as video,
    ):
        for _ in range(2):
            video.append(frame(0))
        video.num_frames += 1  # as if the disk had been full at the last


def test_video_that_cannot_be_opened(tmp_path: Path):
    (tmp_path / 'v.mp4').mkdir()
    with pytest.raises(OSError, match='v.mp4: the video cannot be written'), VideoFile(tmp_path / 'v.mp4', 10) as video:
        video.append(frame(0))


@pytest.mark.parametrize('height', [120, 1080])
def test_the_rate_is_in_the_upper_left_corner(height: int):
    image = np.full((height, 2 * height, 3), 90, np.uint8)
    draw_rate(image, 12.3)
    rows, columns = np.nonzero((image != 90).any(2))
    assert len(rows) > 50 and rows.max() < height / 6 and columns.max() < height
    assert image.max() > 200 and image.min() < 60  # readable on white and on black


def test_the_rate_is_steadied(monkeypatch: pytest.MonkeyPatch):
    times = iter([0.0, 0.1, 0.2, 0.4])
    monkeypatch.setattr(module.time, 'perf_counter', lambda: next(times))
    rate = FrameRate()
    assert rate.tick() is None
    assert [rate.tick() for _ in range(3)] == pytest.approx([10, 10, 1 / 0.11])
