"""What the web page does with an upload, without the page."""

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import count_decodes
from helpers.tiny_gesture_net import CLASSES, write_gesture_net
from helpers.tiny_model import write_tiny_model
from helpers.video_file import picture, write_video

from handkp_plugins.apis.networks import Network
from handkp_plugins.apps.web.service import MAX_PIXELS, HandService


@pytest.fixture(scope='module')
def service(tmp_path_factory: pytest.TempPathFactory) -> HandService:
    folder = tmp_path_factory.mktemp('tiny')
    return HandService(Network(*write_tiny_model(folder)), gesture=write_gesture_net(folder), device='cpu')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'out').mkdir()
    return tmp_path / 'out'


def png_of_size(width: int, height: int) -> bytes:
    """A PNG without pixels."""
    chunks = [
        (b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)),
        (b'IDAT', zlib.compress(b'')),
        (b'IEND', b''),
    ]
    parts = [struct.pack('>I', len(c)) + n + c + struct.pack('>I', zlib.crc32(n + c)) for n, c in chunks]
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


def test_picture_that_no_browser_shows(service: HandService, folder: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / 'a.tif'), picture(0))
    result = service.image(tmp_path / 'a.tif', folder, box=[5, 5, 50, 40])
    assert result.drawn == folder / 'drawn.png'
    assert (cv2.imread(str(result.drawn)) != picture(0)).any()
    document = json.loads(result.keypoints.read_text())
    (hand,) = document['items'][0]['instances']
    assert (document['source'], hand['bbox']) == ('a.tif', [5, 5, 50, 40])
    assert result.text[0].startswith('Hand 1: mean score of the keypoints ')
    assert f'sign {hand["gesture"]} (' in result.text[0]
    assert result.figure is None and 'No figure of attention: ' in result.text[1]


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif'])
def test_an_image_is_decoded_once(
    service: HandService, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
):
    cv2.imwrite(str(tmp_path / f'a{suffix}'), picture(0))
    monkeypatch.setattr('handkp_plugins.apps.web.service.attention_figure', lambda model, image, box: image)
    decodes = count_decodes(monkeypatch)
    assert service.image(tmp_path / f'a{suffix}', folder, whole=True).figure is not None
    assert len(decodes) == 1


def test_signs_of_a_video_are_its_own(
    service: HandService, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, votes, read_frame = write_video(tmp_path / 'v.mp4', 3, 'mp4v'), [], service.gestures.read_frame

    def counted(*arguments) -> list[tuple[str, float]]:
        signs = read_frame(*arguments)
        votes.extend(map(len, service.gestures._votes.values()))
        return signs

    monkeypatch.setattr(service.gestures, 'read_frame', counted)
    for name in ('one', 'two'):
        (folder / name).mkdir()
        result = service.video(path, folder / name, whole=True)
    assert votes == [1, 2, 3, 1, 2, 3]
    (line,) = [line for line in result.text if line.startswith('Sign: ')]
    assert line.removeprefix('Sign: ').split(',')[0] in CLASSES


def test_smoothing_is_stated(service: HandService, folder: Path, tmp_path: Path):
    path = write_video(tmp_path / 'v.mp4', 4, 'mp4v')
    result = service.video(path, folder, whole=True, smooth=True)
    document = json.loads(result.keypoints.read_text())
    assert document['smoothing']['min_cutoff'] == 1.5
    assert all('raw_keypoints' in item['instances'][0] for item in document['items'])


def test_frames_after_the_limit_are_left_out_and_told(
    service: HandService, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_video(tmp_path / 'v.mp4', 10, 'mp4v')
    monkeypatch.setattr(service, 'max_seconds', 0.2)
    result = service.video(path, folder, whole=True)
    assert len(json.loads(result.keypoints.read_text())['items']) == 5  # 25 frames a second
    assert 'Only the first 0.2 s of 0.4 s were read: longer videos are cut there.' in result.text
    assert cv2.VideoCapture(str(result.drawn)).get(cv2.CAP_PROP_FRAME_COUNT) == 5


@pytest.mark.parametrize(
    'name, data, message',
    [
        ('large.png', png_of_size(9000, 8000), r'expected up to 64 megapixels, got 9000x8000 \(72\)'),
        ('bomb.png', png_of_size(60000, 60000), 'got one that is far too large'),
        ('empty.jpg', b'', r'expected an image \(JPEG, .*\), got another header'),
        ('code.jpg', b'<svg onload="alert(1)"/>', 'got another header'),
        ('a.svg', b'<svg/>', r"expected a file of the kind image .*, got '.svg'"),
    ],
    ids=['large', 'bomb', 'empty', 'code', 'suffix'],
)
def test_no_pictures(service: HandService, folder: Path, tmp_path: Path, name: str, data: bytes, message: str):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f'{name}: .*{message}'):
        service.image(tmp_path / name, folder, whole=True)


def test_frames_that_are_too_large(service: HandService, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr('handkp_plugins.apps.web.service.MAX_PIXELS', 96 * 64 - 1)
    with pytest.raises(ValueError, match='v.mp4: expected up to .* got 96x64'):
        service.video(write_video(tmp_path / 'v.mp4', 2, 'mp4v'), folder, whole=True)
    assert MAX_PIXELS >= 50e6  # cameras of telephones


def test_without_a_detector_the_box_is_needed(service: HandService, folder: Path, tmp_path: Path):
    cv2.imwrite(str(tmp_path / 'a.png'), picture(0))
    with pytest.raises(ValueError, match='the box of the hand: expected one of'):
        service.image(tmp_path / 'a.png', folder)


@pytest.mark.parametrize('seconds', [0, -1, np.nan])
def test_seconds_that_are_none(seconds: float):
    with pytest.raises(ValueError, match='--max-seconds: expected a number above 0'):
        HandService(Network('none.py', 'none.pth'), max_seconds=seconds)
