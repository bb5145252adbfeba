import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.video_file import damage, index_of, write_video
from mmengine import fileio

from handkp_plugins.datasets.transforms import LoadHandImage
from handkp_plugins.fileio.images import read_image
from handkp_plugins.fileio.videos import (
    VideoReader,
    holds_times,
    is_video_address,
    number_frames,
    open_video,
    video_address,
)

NUM = 40
CODECS = [('clip.mp4', 'mp4v'), ('clip.mkv', 'MJPG'), ('clip.avi', 'MJPG')]


@pytest.mark.parametrize('path', ['a/clip.mp4#000012', 'clip.MOV#0', 'a b#1.webm#7'])
def test_addresses_of_frames(path: str):
    assert is_video_address(path)
    video, _, index = path.rpartition('#')
    assert is_video_address(video_address(video, int(index)))


@pytest.mark.parametrize('path', ['clip.mp4', 'clip.mp4#', 'clip.mp4#x', 'a.jpg#000001', '#1', 'clip.mp4#-1', '.mp4#1'])
def test_other_paths(path: str):
    assert not is_video_address(path)


@pytest.mark.parametrize(('name', 'codec'), CODECS)
def test_any_order_gives_the_frame_that_was_asked_for(tmp_path: Path, name: str, codec: str):
    video = write_video(tmp_path / name, NUM, codec)
    reader = VideoReader()
    order = [0, 1, 2, 30, 29, 39, 0, 39, 39, 5, *np.random.default_rng(0).permutation(NUM)]
    assert [index_of(reader.read(video_address(video, i))) for i in order] == order


def test_rising_order_decodes_each_frame_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    video = write_video(tmp_path / 'clip.mp4', NUM, 'mp4v')
    calls = dict(grab=0, set=0)

    class Counting:
        def __init__(self) -> None:
            self.capture = open_video(video)

        def __getattr__(self, name: str):
            if name in calls:
                calls[name] += 1
            return getattr(self.capture, name)

    monkeypatch.setattr('handkp_plugins.fileio.videos.open_video', lambda path: Counting())
    reader = VideoReader()
    for i in range(NUM):
        reader.read(video_address(video, i))
    assert calls == dict(grab=NUM, set=0)


def test_few_videos_stay_open(tmp_path: Path):
    videos = [write_video(tmp_path / f'{i}.avi', 2, key=10 * i) for i in range(3)]
    reader = VideoReader(max_open=2)
    for _ in range(2):
        assert [index_of(reader.read(video_address(v, 1))) for v in videos] == [1, 11, 21]
        assert len(reader._clips) == 2


def test_a_search_that_misses_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Some files take a search to another frame than the one asked for."""
    video = write_video(tmp_path / 'clip.mkv', NUM)

    class Astray:
        def __init__(self) -> None:
            self.capture = open_video(video)

        def set(self, key: int, value: float) -> bool:
            return self.capture.set(key, value + 3)

        def __getattr__(self, name: str):
            return getattr(self.capture, name)

    monkeypatch.setattr('handkp_plugins.fileio.videos.open_video', lambda path: Astray())
    reader = VideoReader()
    assert [index_of(reader.read(video_address(video, i))) for i in (20, 10, 35, 0)] == [20, 10, 35, 0]


def test_a_forked_process_does_not_share_its_parents_position(tmp_path: Path):
    video = write_video(tmp_path / 'clip.avi', NUM)
    reader = VideoReader()
    assert index_of(reader.read(video_address(video, 3))) == 3
    opened = reader._clips[str(video)]
    child = os.fork()
    if not child:
        right = all(index_of(reader.read(video_address(video, i))) == i for i in (4, 5, 30, 39))
        os._exit(0 if right and reader._clips[str(video)] is not opened else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [index_of(reader.read(video_address(video, i))) for i in range(4, NUM)] == list(range(4, NUM))
    assert reader._clips[str(video)] is opened


def test_frames_that_are_not_there(tmp_path: Path):
    video = write_video(tmp_path / 'clip.mkv', NUM)
    reader = VideoReader()
    with pytest.raises(
        ValueError, match='frame 40 cannot be decoded: the video, of 40 frames, is damaged or ends before'
    ):
        reader.read(video_address(video, 40))
    assert index_of(reader.read(video_address(video, 39))) == 39
    with pytest.raises(FileNotFoundError, match=r'gone\.mp4'):
        reader.read(f'{tmp_path}/gone.mp4#000000')
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(ValueError, match='the video cannot be opened'):
        reader.read(f'{tmp_path}/text.mp4#000000')


def test_a_damaged_frame_is_not_taken_for_its_neighbour(tmp_path: Path):
    video = write_video(tmp_path / 'clip.mkv', NUM)
    damage(video, (7,))
    reader = VideoReader()
    assert index_of(reader.read(video_address(video, 6))) == 6
    with pytest.raises(ValueError, match='frame 7 cannot be decoded'):
        reader.read(video_address(video, 7))
    assert index_of(reader.read(video_address(video, 6))) == 6


def test_numbers_of_frames():
    assert number_frames([0, 0, 2, 3], 4) == [0, 1, 2, 3]  # all there, at an unsteady rate: a phone's video
    assert number_frames([0, 1, 4, 5], 6) == [0, 1, 4, 5]  # 2 and 3 are lost, as the times tell
    assert number_frames([], 3) == []
    assert number_frames([0, 1], 0) == [0, 1]  # the file announces nothing
    for times, timed, reason in (
        ([0, 0, 2], True, '1 of 4 frames cannot be decoded, and it is unknown which, because its frame rate varies'),
        ([0, 1, 4], True, '1 of 4 frames .* its frame rate varies'),
        ([0, 1, 2], False, '1 of 4 frames .* its format has no times'),
    ):
        with pytest.raises(ValueError, match=reason):
            number_frames(times, 4, timed)


def test_an_avi_file_holds_no_times(tmp_path: Path):
    assert [holds_times(write_video(tmp_path / name, 2, codec)) for name, codec in CODECS] == [True, True, False]


def test_frames_are_images(tmp_path: Path):
    video = write_video(tmp_path / 'clip.avi', 5)
    address = video_address(video, 3)
    image = read_image(address)
    np.testing.assert_array_equal(LoadHandImage(strict=True)(dict(img_path=address))['img'], image)
    data = fileio.get(address, backend_args=dict(backend='hand_shards'))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), image)
    assert index_of(image) == 3
    with pytest.raises(ValueError, match=r'clip\.avi#000009: frame 9 cannot be decoded'):
        read_image(f'{video}#000009')
    with pytest.raises(OSError, match=r'clip\.avi#000009: unreadable image \(frame 9 cannot be decoded'):
        LoadHandImage(strict=True)(dict(img_path=f'{video}#000009'))
    with pytest.raises(OSError, match="color_type: expected 'color' for a video, got 'grayscale'"):
        LoadHandImage(strict=True, color_type='grayscale')(dict(img_path=address))


def test_unreadable_frames_are_passed_over_in_training(tmp_path: Path):
    video = write_video(tmp_path / 'clip.avi', 5)
    load = LoadHandImage()
    assert load(dict(img_path=f'{video}#000005')) is None
    reported = load(dict(img_path=f'{video}#000004'))['unreadable_images']
    assert list(reported) == [f'{video}#000005'] and 'frame 5 cannot be decoded' in reported[f'{video}#000005']


def test_real_videos_in_any_order(real_data: Path):
    for video in ('tfjs_asl_hand/asl_hand.25fps.mp4', 'dex_retargeting_hand/human_hand_video.mp4'):
        capture, wanted, found = open_video(real_data / video), [0, 3, 50, 130], {}
        for i in range(max(wanted) + 1):
            _, image = capture.read()
            found[i] = image
        reader = VideoReader()
        for i in reversed(wanted):
            np.testing.assert_array_equal(reader.read(video_address(real_data / video, i)), found[i])
