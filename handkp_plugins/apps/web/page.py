"""The web page: an image or a video in; skeletons, attention, signs, finger tapping and JSON out.

Made with Gradio, for this machine: neither the page nor the server fetches anything from elsewhere. An upload is
deleted as soon as it is processed. Uploads that are not processed, and results, are deleted after ten minutes. All
files lie in one temporary folder, which is removed with the server.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gradio as gr
from gradio.components import Component
from gradio.processing_utils import save_file_to_cache
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from handkp_plugins.errors import CheckpointError

from .service import HandService, Result

MEGABYTE = 1_000_000
_SWEEP, _AGE = 60, 600  # seconds
_OVERHEAD = 1 << 16  # bytes of a request besides its file
_DETECTOR, _WHOLE, _BOX = 'a detector finds it', 'it fills the image', 'in a box'
_ELSEWHERE = re.compile(r'/(?:file|proxy)=\s*https?:', re.IGNORECASE)
# The page needs nothing from elsewhere; Gradio would, for one, fetch a program to trim videos.
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"
_FONT = ('system-ui', 'sans-serif')
_INTRO = (
    '# Hand keypoints\nFiles stay on the machine that runs this page. Uploads are deleted as soon as they are '
    'processed, results after ten minutes.'
)


@contextmanager
def serving(service: HandService, host: str, port: int, max_mb: int) -> Iterator[str]:
    """Serve the page while the context lasts; yields its address. ``max_mb`` is the largest upload, from 1 MB on.

    Raises OSError if the port is in use, or not for this user.
    """
    if max_mb < 1:
        raise ValueError(f'--max-mb: expected an integer from 1 on, got {max_mb}')
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='handkp_web_')))
        for name in ('cache', 'work'):  # files of the cache can be fetched
            (root / name).mkdir()
        environment = dict(GRADIO_TEMP_DIR=str(root / 'cache'), GRADIO_ANALYTICS_ENABLED='False')
        stack.enter_context(patch.dict(os.environ, environment))
        page = build_page(service, root / 'work')
        stack.callback(page.close, verbose=False)
        guard = Middleware(_Guard, max_mb=max_mb)
        _, address, _ = page.launch(
            server_name=host, server_port=port, share=False, inbrowser=False, prevent_thread_lock=True, quiet=True,
            show_error=True, max_file_size=max_mb * MEGABYTE, allowed_paths=[], footer_links=[], run_history=False,
            enable_monitoring=False, mcp_server=False, pwa=False, ssr_mode=False,
            theme=gr.themes.Soft(font=_FONT, font_mono=('ui-monospace', 'monospace')),
            app_kwargs=dict(docs_url=None, redoc_url=None, openapi_url=None, middleware=[guard]),
        )  # fmt: skip
        yield address


def build_page(service: HandService, work: Path) -> gr.Blocks:
    """Return the page, not yet served; ``work`` is an existing folder for the folders of the runs."""
    with gr.Blocks(title='Hand keypoints', analytics_enabled=False, delete_cache=(_SWEEP, _AGE)) as page:
        gr.Markdown(_INTRO)
        hidden = dict(render=False, interactive=False)
        saving = dict(buttons=['download', 'fullscreen'])  # without the one that uploads a result to a hub
        has_detector = service.detector is not None
        with gr.Tab('Image'):
            source = gr.Image(sources=['upload', 'webcam', 'clipboard'], label='Image', buttons=[], height=360,
                              render=False, elem_id='image')  # fmt: skip
            drawn = gr.Image(label='Hands', height=360, elem_id='drawn', **hidden, **saving)
            figure = gr.Image(show_label=False, elem_id='attention', **hidden, **saving)
            title = 'Where the network looks, stage by stage: blue is little, red is much'
            _tab(service.image, work, source, [], drawn, figure, title, 'image', has_detector)
        with gr.Tab('Video'):
            source = gr.Video(sources=['upload', 'webcam'], include_audio=True, label='Video', buttons=[], height=360,
                              render=False, elem_id='video')  # fmt: skip
            drawn = gr.Video(label='Hands', height=360, autoplay=True, loop=True, buttons=['download'],
                             elem_id='drawn_video', **hidden)  # fmt: skip
            figure = gr.Image(show_label=False, elem_id='tapping', **hidden, **saving)
            smooth = gr.Checkbox(label='smooth keypoints over time, with a small delay', render=False)
            title = 'Finger tapping: the distance of thumb and index finger'
            _tab(service.video, work, source, [smooth], drawn, figure, title, 'video', has_detector)
    return page


def _tab(
    run: Callable[..., Result],
    work: Path,
    source: Component,
    options: list[Component],
    drawn: Component,
    figure: Component,
    title: str,
    name: str,
    has_detector: bool,
) -> None:
    """Lay out a tab: upload, place of the hand and button on the left, results on the right and below.

    ``run``, a method of :class:`HandService`, also gets the values of ``options``. ``name`` is that of the endpoint.
    """
    choices = [_DETECTOR] * has_detector + [_WHOLE, _BOX]
    with gr.Row():
        with gr.Column():
            source.render()
            where = gr.Radio(choices, value=choices[0], label='Where is the hand?')
            with gr.Row(visible=False) as row:
                sides = [
                    gr.Number(0, label=side, minimum=0, min_width=60) for side in ('x, px', 'y', 'width', 'height')
                ]
            for option in options:
                option.render()
            button = gr.Button('Find the hand', variant='primary', elem_id=f'{name}_button')
        with gr.Column():
            drawn.render()
            text = gr.Textbox(label='Found', lines=2, max_lines=20, interactive=False, elem_id=f'{name}_text')
            keypoints = gr.File(label='Keypoints, to download', interactive=False, elem_id=f'{name}_json')
    gr.Markdown(title)
    figure.render()
    silent = dict(api_visibility='private', show_progress='hidden')
    where.change(lambda w: gr.Row(visible=w == _BOX), where, row, **silent)
    progress = gr.Progress(track_tqdm=True)

    def handle(progress: gr.Progress = progress, *values: Any) -> list[str | None]:
        upload, where, *sides, rest = *values[:6], values[6:]

        def run_upload(path: Path, folder: Path) -> Result:
            box = [float(side or 0) for side in sides] if where == _BOX else None  # an empty field is None
            return run(path, folder, box, where == _WHOLE, *rest)

        return _answer(run_upload, upload and upload['path'], work)

    results = [text, drawn, figure, keypoints]
    # without preprocessing: Gradio would decode the upload, with a traceback if that fails
    done = button.click(
        handle, [source, where, *sides, *options], results, api_name=name, preprocess=False,
        api_visibility='undocumented', concurrency_limit=1, concurrency_id='networks',
    )  # fmt: skip
    for after in (done.success, done.failure):  # its file is gone
        after(lambda: None, None, source, **silent)
    # the results of the previous file must not stand beside one that was refused
    done.failure(lambda: [None] * len(results), None, results, **silent)


def _answer(run: Callable[[Path, Path], Result], path: str | None, work: Path) -> list[str | None]:
    """Let a run process an upload and delete it; returns the text, and the files to show."""
    if not path:
        raise gr.Error('Choose a file first, or take it with the camera.', print_exception=False)
    upload, cache = Path(path).resolve(), os.environ['GRADIO_TEMP_DIR']
    if not upload.is_relative_to(Path(cache).resolve()) or not upload.is_file():
        raise gr.Error(f'{upload.name} is no longer here: choose it again.', print_exception=False)
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            result = run(upload, Path(folder))
            files = (result.drawn, result.figure, result.keypoints)
            return ['\n'.join(result.text), *(file and save_file_to_cache(file, cache) for file in files)]
    except (ValueError, OSError, CheckpointError) as e:
        message = (
            str(e)
            .replace(str(upload), upload.name)
            .replace('--bbox: expected X Y W H with W and H', 'box: expected sides')
        )
        raise gr.Error(message, print_exception=False) from e
    finally:
        upload.unlink(missing_ok=True)
        with suppress(OSError):  # not empty if the same file was uploaded twice
            upload.parent.rmdir()


class _Guard(BaseHTTPMiddleware):
    """Refuses requests that are too large, or that name an address, which Gradio would fetch; and lets browsers fetch
    nothing from elsewhere."""

    def __init__(self, app: ASGIApp, max_mb: int) -> None:
        super().__init__(app)
        self.max_mb = max_mb

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        length = request.headers.get('content-length', '0')
        if not length.isdigit() or int(length) > self.max_mb * MEGABYTE + _OVERHEAD:
            text = f'expected files of up to {self.max_mb} MB; --max-mb of tools/web_demo.py sets that'
            return PlainTextResponse(text, 413)
        if _ELSEWHERE.search(request.scope['path']) or await _names_address(request):
            return PlainTextResponse('An address is not allowed: upload a file.', 403)
        response = await call_next(request)
        response.headers['content-security-policy'] = _POLICY
        return response


async def _names_address(request: Request) -> bool:
    """Return whether a file in a JSON request has an address as its path."""
    if request.headers.get('content-type', '').startswith('multipart/'):  # an upload, which is not kept in memory
        return False
    paths: list[str] = []
    with suppress(ValueError):  # not JSON, which Gradio refuses
        json.loads(await request.body(), object_hook=lambda fields: paths.append(str(fields.get('path'))))
    return any('://' in path for path in paths)
