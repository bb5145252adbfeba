"""The web page, by its HTTP interface and in a browser."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.demo import demo
from helpers.tool_module import TOOLS, load_tool
from helpers.video_file import write_video

from handkp_plugins.apis.networks import find_network
from handkp_plugins.apps.web.service import HandService
from handkp_plugins.structures.skeleton import KEYPOINT_COLORS
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.scenes.sample import SampleMaker

pytest.importorskip('gradio', reason='Gradio is not installed')
import httpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from handkp_plugins.apps.web.page import serving

MAX_MB = 1
CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
WHOLE = ('it fills the image', 0, 0, 0, 0)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('web_demo')


@pytest.fixture(scope='module')
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    service = HandService(find_network('lite'), device='cpu')
    with serving(service, '127.0.0.1', free_port(), MAX_MB) as address:
        root = Path(os.environ['GRADIO_TEMP_DIR']).parent
        client = Client(address, verbose=False, download_files=tmp_path_factory.mktemp('downloads'))
        yield SimpleNamespace(address=address, root=root, client=client, service=service)
    assert not root.exists()


@pytest.fixture(scope='module')
def hand(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A photograph of a hand and its box (x, y, width, height), or a generated one where there are no photographs."""
    data = Path(os.environ.get('HANDKP_REAL_DATA', TOOLS.parent / 'data' / 'real'))
    folder = data / 'real_samples' / 'onehand10k'
    if folder.is_dir():
        document = json.loads((folder / 'test_onehand10k.json').read_text())
        image = document['images'][0]
        box = next(a['bbox'] for a in document['annotations'] if a['image_id'] == image['id'])
        return folder / image['file_name'], box
    sample = SampleMaker([ProceduralHand()], 256).make(1, 0)
    path = tmp_path_factory.mktemp('hand') / 'generated.jpg'
    cv2.imwrite(str(path), sample.image[..., ::-1])
    return path, [round(v) for v in sample.annotation['bbox']]


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
    """Chromium, with a camera that is none."""
    api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    if CHROMIUM is None:
        pytest.skip('no chromium, chromium-browser or google-chrome on the PATH')
    camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox', *camera])


def files(page: SimpleNamespace) -> list[Path]:
    return [p for p in page.root.rglob('*') if p.is_file()]


def assert_drawn(picture: np.ndarray, document: dict) -> None:
    """Each keypoint that was surely found lies on a dot of its colour (RGB)."""
    (instance,) = document['items'][0]['instances']
    sure = [k for k, score in enumerate(instance['scores']) if score >= 0.3]
    assert len(sure) >= 10
    misses = []
    for k in sure:
        x, y = np.round(instance['keypoints'][k]).astype(int)
        near = picture[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3).astype(int)
        if not near.size or np.abs(near - KEYPOINT_COLORS[k]).max(1).min() > 60:
            misses.append(k)
    assert len(misses) <= 2, misses  # a keypoint may lie under a later one


def test_picture(page: SimpleNamespace, hand: tuple[Path, list[int]], tmp_path: Path):
    path, box = hand
    text, drawn, attention, keypoints = page.client.predict(handle_file(path), 'in a box', *box, api_name='/image')
    document = json.loads(Path(keypoints).read_text())
    by_demo = demo(path, output=tmp_path / 'out', bbox=[box], device='cpu')
    assert document == by_demo | {'source': path.name}
    assert_drawn(cv2.imread(drawn)[..., ::-1], document)
    np.testing.assert_array_equal(cv2.imread(drawn), cv2.imread(str(tmp_path / 'out' / path.name)))
    assert cv2.imread(attention).shape[1] > 3 * 256  # the image, at least two stages, the hand
    assert text.startswith('Hand 1: ')
    assert path.read_bytes() not in [p.read_bytes() for p in files(page)]
    assert {p.name for p in files(page)} == {path.name, 'attention.png', 'keypoints.json'}
    assert list((page.root / 'work').iterdir()) == []


def test_video(page: SimpleNamespace, tmp_path: Path):
    path = write_video(tmp_path / 'clip.mp4', 12, 'mp4v')
    text, drawn, figure, keypoints = page.client.predict(handle_file(path), *WHOLE, False, api_name='/video')
    drawn = drawn['video'] if isinstance(drawn, dict) else drawn
    assert cv2.VideoCapture(drawn).get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert Path(drawn).suffix == '.webm'
    assert [i['frame'] for i in json.loads(Path(keypoints).read_text())['items']] == list(range(12))
    assert '12 frames' in text and 'Finger tapping' in text and 'no medical device' in text
    assert cv2.imread(figure).shape[0] > 300
    assert str(page.root) not in text
    assert 'clip.mp4' not in {p.name for p in files(page)}
    assert list((page.root / 'work').iterdir()) == []


@pytest.mark.parametrize(
    'name, data, api, message',
    [
        ('empty.jpg', b'', '/image', 'empty.jpg: expected an image .*, got another header'),
        (
            'page.html',
            b'<script>alert(1)</script>',
            '/image',
            "page.html: .* of the kind image .*, got '.html'",
        ),
        ('bad.mp4', b'no video at all' * 100, '/video', 'bad.mp4: not a video, or without any frame'),
        ('a.txt', b'text', '/video', "a.txt: expected a file of the kind video .*, got '.txt'"),
    ],
)
def test_bad_uploads(page: SimpleNamespace, tmp_path: Path, name: str, data: bytes, api: str, message: str):
    (tmp_path / name).write_bytes(data)
    options = [False] if api == '/video' else []
    with pytest.raises(AppError, match=message) as error:
        page.client.predict(handle_file(tmp_path / name), *WHOLE, *options, api_name=api)
    assert str(page.root) not in str(error.value)
    assert name not in {p.name for p in files(page)}


def test_cut_picture_and_bad_box(page: SimpleNamespace, hand: tuple[Path, list[int]], tmp_path: Path):
    (tmp_path / 'cut.jpg').write_bytes(hand[0].read_bytes()[:-50])
    with pytest.raises(AppError, match='cut.jpg: truncated JPEG: its end marker is missing'):
        page.client.predict(handle_file(tmp_path / 'cut.jpg'), *WHOLE, api_name='/image')
    with pytest.raises(AppError, match=r'box: expected sides above 0, got \[5.0, 5.0, 0.0, 9.0\]'):
        page.client.predict(handle_file(hand[0]), 'in a box', 5, 5, 0, 9, api_name='/image')
    with pytest.raises(AppError, match='Choose a file first'):
        page.client.predict(None, *WHOLE, api_name='/image')


def test_nothing_but_uploads_is_read(page: SimpleNamespace, tmp_path: Path):
    secret = tmp_path / 'secret.png'
    cv2.imwrite(str(secret), np.zeros((8, 8, 3), np.uint8))
    call = f'{page.address}gradio_api/call/image'
    for path, says in (
        (str(secret), 'Cannot move'),
        (f'{page.root}/cache/../../{secret.name}', 'Cannot move'),
        (f'{page.root}/work/a.png', 'Cannot move'),
    ):
        upload = dict(path=path, meta={'_type': 'gradio.FileData'})
        event = httpx.post(call, json=dict(data=[upload, *WHOLE])).json()['event_id']
        answer = httpx.get(f'{call}/{event}').text
        assert 'event: error' in answer and says in answer, answer
    assert secret.exists()
    refused = 'An address is not allowed: upload a file.'
    upload = dict(path='HTTP://127.0.0.1:9/a.png', meta={'_type': 'gradio.FileData'})
    for endpoint, body in (
        ('call/image', dict(data=[upload, *WHOLE])),
        ('run/image', dict(data=[upload, *WHOLE])),
        ('queue/join', dict(data=[upload, *WHOLE], fn_index=1, session_hash='a')),
        ('queue/join', dict(data=[[dict(file=upload)]], fn_index=1, session_hash='a')),
    ):
        answer = httpx.post(f'{page.address}gradio_api/{endpoint}', json=body)
        assert (answer.status_code, answer.text) == (403, refused)
        escaped = json.dumps(body).replace('HTTP:', r'\u0048ttp\u003a').encode('utf-16')
        assert httpx.post(f'{page.address}gradio_api/{endpoint}', content=escaped).text == refused
    for path in (secret, TOOLS / 'web_demo.py'):
        assert httpx.get(f'{page.address}gradio_api/file={path}').status_code == 403
    for path in ('file=http://127.0.0.1:9/a.png', 'file=HTTPS://example.org/', 'proxy=https://example.org/'):
        assert httpx.get(f'{page.address}gradio_api/{path}').text == refused
    for path in ('docs', 'redoc', 'openapi.json'):
        assert httpx.get(f'{page.address}{path}').status_code == 404


def test_large_uploads(page: SimpleNamespace):
    before = files(page)
    for size, says in (
        (int(1.04 * MAX_MB * 1e6), 'File size exceeded'),
        (2 * 10**6, 'expected files of up to 1 MB'),
    ):
        answer = httpx.post(f'{page.address}gradio_api/upload', files={'files': ('a.jpg', bytes(size))})
        assert answer.status_code == 413
        assert says in answer.text
    assert files(page) == before


def test_in_a_browser(page: SimpleNamespace, hand: tuple[Path, list[int]], tmp_path: Path, browser: Any):
    path, box = hand
    (tmp_path / 'broken.jpg').write_bytes(b'\xff\xd8 no picture')
    (tmp_path / 'large.jpg').write_bytes(bytes(2_000_000))
    elsewhere = []
    tab = browser.new_page(viewport=dict(width=1280, height=1500))
    tab.set_default_timeout(60_000)
    own = (page.address, 'data:', 'blob:')
    tab.on('request', lambda r: None if r.url.startswith(own) else elsewhere.append(r.url))
    tab.goto(page.address)
    tab.set_input_files('#image input[type=file]', tmp_path / 'broken.jpg')
    tab.wait_for_selector('#image img')
    tab.click('#image_button')
    tab.get_by_text('got another header').first.wait_for()
    tab.wait_for_selector('#image img', state='detached')
    tab.set_input_files('#image input[type=file]', tmp_path / 'large.jpg')
    tab.get_by_text('maximum').first.wait_for()
    tab.reload()
    tab.get_by_label('in a box').first.check()
    for label, value in zip(('x, px', 'y', 'width', 'height'), box, strict=True):
        tab.get_by_label(label, exact=True).first.fill(str(value))
    tab.set_input_files('#image input[type=file]', path)
    tab.wait_for_selector('#image img')
    tab.click('#image_button')
    tab.wait_for_selector('#drawn img')
    tab.wait_for_selector('#attention img')
    shown = tab.evaluate(
        """async () => {
            const image = document.querySelector('#drawn img'); await image.decode();
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            return [canvas.height, canvas.width, Array.from(data)]; }"""
    )
    with tab.expect_download() as download:
        tab.click('#image_json a[download]')
    document = json.loads(Path(download.value.path()).read_text())
    assert tab.locator('#image img').count() == 0  # its file is gone, and so is what showed it
    assert elsewhere == []
    refused = """() => new Promise(done => {
        document.addEventListener('securitypolicyviolation', event => done(event.blockedURI));
        fetch('https://example.org/').catch(() => setTimeout(() => done('not by the policy'), 500)); })"""
    assert tab.evaluate(refused).startswith('https://example.org')
    tab.set_input_files('#image input[type=file]', tmp_path / 'broken.jpg')
    tab.wait_for_selector('#image img')
    tab.click('#image_button')
    for result in ('#drawn img', '#attention img'):  # those of the picture before
        tab.wait_for_selector(result, state='detached')
    assert tab.locator('#image_text textarea').input_value() == ''
    tab.close()
    picture = np.array(shown[2], np.uint8).reshape(*shown[:2], 4)[..., :3]
    assert_drawn(picture, document)
    plain = cv2.imread(str(path))[..., ::-1]
    with pytest.raises(AssertionError):
        assert_drawn(plain, document)


def test_camera(page: SimpleNamespace, browser: Any):
    tab = browser.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(page.address)
    tab.get_by_role('tab', name='Video').click()
    tab.click('#video button[aria-label="Capture from camera"]')
    tab.locator('#video').get_by_text('Click to Access Webcam').click()
    tab.wait_for_function("[...document.querySelectorAll('#video video')].some(v => v.videoWidth > 0)")
    record = tab.locator('#video button[aria-label="start recording"]')
    record.click()
    tab.wait_for_timeout(2000)  # a busy machine's camera is slow to give frames
    record.filter(has_text='Stop').click()
    tab.wait_for_selector('#video button[aria-label="Clear"]')
    tab.click('#video_button')
    tab.wait_for_selector('#drawn_video video, .toast-body')
    assert tab.locator('.toast-body').all_inner_texts() == []
    tab.wait_for_selector('#tapping img')
    tab.wait_for_function("document.querySelector('#drawn_video video').videoWidth > 0")  # it can be played
    text = tab.locator('#video_text textarea').input_value()
    assert re.match(r'[1-9]\d* frames, a hand in [1-9]', text), text
    tab.close()


def test_sigterm_leaves_nothing(tmp_path: Path):
    command = [sys.executable, TOOLS / 'web_demo.py', '--port', str(free_port()), '--device', 'cpu']
    environment = os.environ | {'TMPDIR': str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout.readline().startswith('http://127.0.0.1:')
            assert [p.name[:11] for p in tmp_path.glob('handkp_web_*')] == ['handkp_web_']
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert list(tmp_path.glob('handkp_web_*')) == []


def test_an_open_host_is_told(tool: ModuleType, capsys: pytest.CaptureFixture):
    addresses = []
    tool.main(host='0.0.0.0', port=free_port(), device='cpu', wait=lambda: addresses.append(1))
    assert '--host 0.0.0.0: whoever reaches this machine can use the page' in capsys.readouterr().err
    tool.main(port=free_port(), device='cpu', wait=lambda: addresses.append(2))
    assert '--host' not in capsys.readouterr().err
    assert addresses == [1, 2]


def test_the_shipped_detector_is_taken_unasked(tool: ModuleType, page: SimpleNamespace):
    port, choice = free_port(), 'a detector finds it'
    pages = []
    tool.main(port=port, device='cpu', wait=lambda: pages.append(httpx.get(f'http://127.0.0.1:{port}/config').text))
    assert choice in pages[0]
    assert choice not in httpx.get(f'{page.address}config').text  # whose service has none


def test_a_port_that_is_taken_and_numbers_that_cannot_be(tool: ModuleType, page: SimpleNamespace):
    with pytest.raises(OSError, match='port'):
        tool.main(port=int(page.address.rstrip('/').rpartition(':')[2]), device='cpu', wait=lambda: None)
    with pytest.raises(ValueError, match='--max-mb: expected an integer from 1 on, got 0'):
        tool.main(port=free_port(), device='cpu', max_mb=0, wait=lambda: None)


def test_without_gradio(tool: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, 'handkp_plugins.apps.web.page')
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(ValueError, match=r"Gradio is not installed: .* pip install 'handkp_plugins\[web\]'"):
        tool.main(wait=lambda: None)
