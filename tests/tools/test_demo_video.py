"""The demo on videos and cameras, with a detector."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import demo
from helpers.tiny_detector import write_tiny_detector
from helpers.tiny_gesture_net import write_gesture_net
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import TOOLS
from helpers.video_file import SIZE, write_video
from helpers.video_file import picture as frame

from handkp_plugins.apis.detection import Detections
from handkp_plugins.apps.demo import sources

NUM_FRAMES = 12


@pytest.fixture(scope='module')
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp('networks')
    return dict(pose=write_tiny_model(folder), det=write_tiny_detector(folder), device='cpu')


def in_the_box(model: object, image: np.ndarray, boxes: np.ndarray, *_: object) -> list[dict]:
    """What a good network finds: a hand that fills each box."""
    shape = np.random.default_rng(0).uniform(-1, 1, (21, 2))
    shape[:2] = [[-1, -1], [1, 1]]
    middles, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    found = middles[:, None] + halves[:, None] * shape / 1.15
    return [dict(bbox=b, keypoints=k, scores=np.full(21, 0.9)) for b, k in zip(boxes, found, strict=True)]


@pytest.fixture
def two_hands(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let detectors see one hand, from their second call on two; the list takes a 1 for each call."""
    calls: list[int] = []

    def detect(self, image: np.ndarray) -> Detections:
        calls.append(1)
        number = 1 if len(calls) == 1 else 2
        boxes = np.array([[5, 5, 45, 45], [50, 15, 90, 55]], np.float32)[:number]
        return Detections(boxes, np.array([0.9, 0.8], np.float32)[:number], ['left', None][:number])

    monkeypatch.setattr('handkp_plugins.apis.detection.HandDetector.__call__', detect)
    monkeypatch.setattr('handkp_plugins.apps.demo.hand_pipeline.predict', in_the_box)
    return calls


def saved(output: Path) -> dict:
    return json.loads((output / 'keypoints.json').read_text())


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / 'keypoints.jsonl').read_text().splitlines()]


def num_frames(path: Path) -> int:
    return int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))


def test_hands_are_followed_over_a_video(networks: dict, tmp_path: Path, two_hands: list[int]):
    source = write_video(tmp_path / 'clip.mp4', NUM_FRAMES, 'mp4v')
    document = demo(source, output=tmp_path / 'out', det_every=5, **networks)
    assert len(two_hands) == 3 and document['complete'] is True  # in frames 0, 5, 10
    assert document['detector'] == dict(config=str(networks['det'][0]), checkpoint=str(networks['det'][1]))
    assert document == saved(tmp_path / 'out') and document['items'] == lines(tmp_path / 'out')
    for i, item in enumerate(document['items']):
        assert (item['frame'], item['file'], item['width'], item['height']) == (i, 'clip.mp4', *SIZE)
        expected = [(1, 0.9, 'left'), (2, 0.8, None)][: 1 if i < 5 else 2]
        assert [(h['track'], h['det_score'], h.get('handedness')) for h in item['instances']] == expected
        first = item['instances'][0]
        assert 'raw_keypoints' not in first and np.shape(first['keypoints']) == (21, 2)
    assert num_frames(tmp_path / 'out' / 'clip.mp4') == NUM_FRAMES


def test_no_hand_in_view_is_said(networks: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    arguments = dict(networks, det_thr=0.999)
    source = write_video(tmp_path / 'clip.mp4', 3, 'mp4v')
    document = demo(source, output=tmp_path / 'out', **arguments)
    assert [item['instances'] for item in document['items']] == [[]] * 3
    output = capsys.readouterr()
    assert 'no hand was found in 3 of 3 frames' in output.err and '3 frames, 0 hands' in output.out

    (tmp_path / 'in').mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / 'in' / name), frame(0))
    document = demo(tmp_path / 'in', output=tmp_path / 'folder', **arguments)
    assert [(item['file'], item['instances']) for item in document['items']] == [('a.png', []), ('b.png', [])]
    assert 'no hand was found in 2 of 2 images:\n  a.png\n  b.png' in capsys.readouterr().err
    demo(tmp_path / 'in' / 'a.png', output=tmp_path / 'one', **arguments)
    assert 'no hand was found in 1 of 1 images:\n  a.png' in capsys.readouterr().err
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'one' / 'a.png')), frame(0))


def test_smoothing_keeps_the_raw_keypoints_and_tells_its_lag(
    networks: dict, tmp_path: Path, capsys: pytest.CaptureFixture
):
    source = write_video(tmp_path / 'clip.mp4', 40, 'mp4v')
    arguments = dict(bbox=[[5, 5, 80, 50], [30, 5, 50, 50]], pose=networks['pose'], device='cpu')
    plain = demo(source, output=tmp_path / 'plain', **arguments)
    document = demo(source, output=tmp_path / 'out', smooth=True, min_cutoff=2.0, beta=0.0, **arguments)
    assert plain['smoothing'] is None
    smoothing = document['smoothing']
    assert (smoothing['min_cutoff'], smoothing['beta']) == (2.0, 0.0)
    assert smoothing['delay'] == pytest.approx(1 / (4 * np.pi), abs=1e-3) and 0 <= smoothing['lag'] < 0.2
    for item, other in zip(document['items'], plain['items'], strict=True):
        for hand, same in zip(item['instances'], other['instances'], strict=True):
            assert hand['raw_keypoints'] == same['keypoints'] and hand['track'] == same['track']
    raw, smooth = (np.array([i['instances'][0][k] for i in document['items']]) for k in ('raw_keypoints', 'keypoints'))
    np.testing.assert_array_equal(raw[0], smooth[0])
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.5 * np.abs(np.diff(raw, axis=0)).mean()
    said = capsys.readouterr().out
    assert re.search(r'smoothing delays keypoints by: \d+ ms, measured .*; 1/\(2π cutoff\) of the filter, 80 ms', said)


def test_signs_are_voted_for_by_track(networks: dict, tmp_path: Path, two_hands: list[int]):
    source = write_video(tmp_path / 'clip.mp4', 3, 'mp4v')
    document = demo(source, output=tmp_path / 'out', gesture=write_gesture_net(tmp_path), det_every=1, **networks)
    assert all('gesture' in hand for item in document['items'] for hand in item['instances'])


def test_the_frame_rate_is_drawn(networks: dict, tmp_path: Path):
    source = write_video(tmp_path / 'clip.avi', 3)
    arguments = dict(bbox=[[60, 40, 30, 20]], pose=networks['pose'], device='cpu')
    frames = []
    for rate in (True, False):
        demo(source, output=tmp_path / str(rate), no_rate=not rate, **arguments)
        capture = cv2.VideoCapture(str(tmp_path / str(rate) / 'clip.mp4'))
        frames.append([capture.read()[1].astype(int) for _ in range(3)])
    corner = np.s_[:20, :40]
    assert np.abs(frames[0][0][corner] - frames[1][0][corner]).max() < 40  # no rate is known yet
    assert np.abs(frames[0][2][corner] - frames[1][2][corner]).max() > 100


def test_only_so_many_frames(networks: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    source = write_video(tmp_path / 'clip.mp4', 6, 'mp4v')
    arguments = dict(whole_image=True, pose=networks['pose'], device='cpu')
    document = demo(source, output=tmp_path / 'out', max_frames=4, **arguments)
    assert len(document['items']) == 4 and document['complete'] is False
    assert 'cannot be read' not in capsys.readouterr().err
    assert demo(source, output=tmp_path / 'all', max_frames=6, **arguments)['complete'] is True


class Camera:
    """Stands for cv2.VideoCapture: gives some frames, and then none or what ``after`` does."""

    frames, after = 5, staticmethod(lambda: None)

    def __init__(self, number: int) -> None:
        self.number, self.given, self.released = number, 0, False

    def isOpened(self) -> bool:
        return True

    def get(self, key: int) -> float:
        return {cv2.CAP_PROP_FPS: 30.0}.get(key, 0.0)

    def set(self, key: int, value: float) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.given += 1
        if self.given > self.frames:
            self.after()
            return False, None
        return True, frame(self.given)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[..., type[Camera]]:
    """Plugs in a camera that gives some frames; files are opened as ever."""
    real = cv2.VideoCapture

    def plug_in(frames: int, after: Callable[[], None] = lambda: None) -> type[Camera]:
        fake = type('Fake', (Camera,), dict(frames=frames, after=staticmethod(after)))
        monkeypatch.setattr(cv2, 'VideoCapture', lambda at, *more: fake(at) if isinstance(at, int) else real(at, *more))
        return fake

    return plug_in


@pytest.fixture
def camera_args(networks: dict) -> dict:
    return dict(source='webcam:0', whole_image=True, pose=networks['pose'], device='cpu')


def test_a_camera_that_is_unplugged(camera: Callable, camera_args: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    camera(5)
    document = demo(output=tmp_path, **camera_args)
    items = lines(tmp_path)
    assert document == {key: value for key, value in saved(tmp_path).items() if key != 'items'}
    assert document['complete'] is False and len(items) == 5
    times = [item['time'] for item in items]
    assert times[0] == 0 and (np.diff(times) > 0).all() and items[0]['file'] == 'webcam:0'
    assert 'webcam:0: the camera gives no more images (is it unplugged?); 5 frames are saved' in capsys.readouterr().err
    assert saved(tmp_path)['items'] == items


def test_a_cameras_video_keeps_its_time(
    camera: Callable, camera_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    camera(9)
    seconds = iter(0.4 * i for i in range(99))
    monkeypatch.setattr(sources.time, 'monotonic', lambda: next(seconds))
    document = demo(output=tmp_path, max_frames=4, **camera_args)
    assert document['complete'] is True
    assert [item['time'] for item in lines(tmp_path)] == pytest.approx([0, 0.4, 0.8, 1.2])
    monkeypatch.undo()
    assert num_frames(tmp_path / 'webcam_0.mp4') == 1.2 * 30 + 1


def test_ctrl_c_is_a_cameras_usual_end(camera: Callable, camera_args: dict, tmp_path: Path):
    fake = camera(1000)

    def read_and_interrupt(self: Camera) -> tuple[bool, np.ndarray | None]:
        if self.given == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return Camera.read(self)

    fake.read = read_and_interrupt
    document = demo(output=tmp_path, **camera_args)
    assert document['complete'] is True and len(saved(tmp_path)['items']) == 4


def test_a_camera_that_fails_loses_nothing(camera: Callable, camera_args: dict, tmp_path: Path):
    def fail() -> None:
        raise cv2.error('the driver has crashed')

    camera(3, fail)
    with pytest.raises(cv2.error, match='the driver has crashed'):
        demo(output=tmp_path, **camera_args)
    assert len(saved(tmp_path)['items']) == 3 and saved(tmp_path)['complete'] is False
    assert num_frames(tmp_path / 'webcam_0.mp4') >= 3


def test_a_camera_that_gives_nothing(camera: Callable, camera_args: dict, tmp_path: Path):
    camera(0)
    with pytest.raises(OSError, match='webcam:0: the camera gives no image; does another program use it'):
        demo(output=tmp_path, **camera_args)


def test_a_camera_that_is_not_there(camera_args: dict, tmp_path: Path):
    arguments = dict(camera_args, output=tmp_path)
    with pytest.raises(OSError, match=r'webcam:99: the camera cannot be opened: .* \(devices /dev/video\*: '):
        demo(**dict(arguments, source='webcam:99'))
    with pytest.raises(ValueError, match='source: expected webcam:N with an integer N from 0 on, got webcam:front'):
        demo(**dict(arguments, source='webcam:front'))


def test_a_window_needs_a_display(camera: Callable, camera_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    camera(5)
    with pytest.raises(ValueError, match='--show: expected a display, but DISPLAY is not set'):
        demo(output=tmp_path, show=True, **camera_args)


@pytest.mark.parametrize('closed', [False, True])
def test_q_or_closing_the_window_ends_a_camera(
    camera: Callable, camera_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool
):
    camera(1000)
    shown = []
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(cv2, 'namedWindow', lambda *args: None)
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: shown.append('closed'))
    monkeypatch.setattr(cv2, 'imshow', lambda title, picture: shown.append(picture.shape))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: ord('q') if len(shown) == 3 and not closed else -1)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda *args: 0.0 if len(shown) == 3 and closed else 1.0)
    document = demo(output=tmp_path, show=True, **camera_args)
    assert document['complete'] is True and len(saved(tmp_path)['items']) == 3
    assert shown == [(SIZE[1], SIZE[0], 3)] * 3 + ['closed']


@pytest.mark.parametrize('option', [dict(smooth=True), dict(show=True), dict(max_frames=3)])
def test_what_is_for_videos_is_refused_for_pictures(networks: dict, tmp_path: Path, option: dict):
    cv2.imwrite(str(tmp_path / 'a.png'), frame(0))
    with pytest.raises(ValueError, match='--(smooth|show|max-frames): expected for a video or a camera, got .*a.png'):
        demo(tmp_path / 'a.png', output=tmp_path / 'out', whole_image=True, pose=networks['pose'], **option)


def test_ctrl_c_in_a_real_process(networks: dict, tmp_path: Path):
    """The frame that is worked on is finished, and video and JSON hold the same frames."""
    source = tmp_path / 'long.avi'
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*'MJPG'), 25, SIZE)
    for i in range(1500):
        writer.write(frame(i % 40))
    writer.release()
    command = [sys.executable, TOOLS / 'demo.py', source, '--output', tmp_path / 'out', '--whole-image']
    command += ['--device', 'cpu', '--pose', *networks['pose']]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    found = tmp_path / 'out' / 'keypoints.jsonl'
    while process.poll() is None and (not found.is_file() or found.stat().st_size < 5000):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1 and errors.splitlines()[-1] == 'demo.py: stopped; what was done is saved'
    assert 'Traceback' not in errors
    document = saved(tmp_path / 'out')
    assert document['complete'] is False and document['items'] == lines(tmp_path / 'out')
    assert 0 < len(document['items']) < 1500
    assert num_frames(tmp_path / 'out' / 'long.mp4') == len(document['items'])
