"""The web page of hand keypoints: a picture or a video in, skeletons, attention, signs, finger tapping and JSON out.

Made with Gradio, for this machine: nothing is fetched from elsewhere, neither by the page nor by the server. An upload
is deleted as soon as it was worked on; one that nobody works on, and results, after ten minutes. All of them lie in one
temporary folder, which goes with the server.
"""

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
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handkp_plugins.errors import CheckpointError

from .service import HandService, Result

MEGABYTE = 1_000_000
_SWEEP, _AGE = 60, 600  # seconds
_ROOM = 1 << 16  # bytes of a request around its file
_DETECTOR, _WHOLE, _BOX = 'a detector finds it', 'it fills the picture', 'in a box'
_ELSEWHERE = re.compile(r'/(?:file|proxy)=\s*https?:', re.IGNORECASE)
# The page needs nothing from elsewhere; Gradio's trimming of videos, for one, would fetch its program.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"
_FONT = ('system-ui', 'sans-serif')
_INTRO = (
    '# Hand keypoints\nFiles stay on the machine that runs this page, and are deleted as soon as they were worked on; '
    'results after ten minutes.'
)


@contextmanager
def serving(service: HandService, host: str, port: int, max_mb: int) -> Iterator[str]:
    """Serve the page while the context lasts; yields its address.

    Args:
        host, port: where to listen.
        max_mb: size of an upload.

    Raises:
        OSError: the port is taken, or not for this user.
        ValueError: the number of megabytes is below 1.
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
    """The page, not yet served.

    Args:
        work: an existing folder, for the runs' own.
    """
    with gr.Blocks(title='Hand keypoints', analytics_enabled=False, delete_cache=(_SWEEP, _AGE)) as page:
        gr.Markdown(_INTRO)
        hidden = dict(render=False, interactive=False)
        saving = dict(buttons=['download', 'fullscreen'])  # without that which shares a result with a hub
        with gr.Tab('Picture'):
            source = gr.Image(sources=['upload', 'webcam', 'clipboard'], label='Picture', buttons=[], height=360,
                              render=False, elem_id='picture')  # fmt: skip
            drawn = gr.Image(label='Hands', height=360, elem_id='drawn', **hidden, **saving)
            figure = gr.Image(show_label=False, elem_id='attention', **hidden, **saving)
            title = 'Where the network looks, stage by stage: blue is little, red is much'
            _tab(service.image, work, source, [], drawn, figure, title, 'image', service.detector is not None)
        with gr.Tab('Video'):
            source = gr.Video(sources=['upload', 'webcam'], include_audio=True, label='Video', buttons=[], height=360,
                              render=False, elem_id='video')  # fmt: skip
            drawn = gr.Video(label='Hands', height=360, autoplay=True, loop=True, buttons=['download'],
                             elem_id='drawn_video', **hidden)  # fmt: skip
            figure = gr.Image(show_label=False, elem_id='tapping', **hidden, **saving)
            smooth = gr.Checkbox(label='smooth keypoints over time, which makes them a little late', render=False)
            title = 'Finger tapping: the distance of thumb and index finger'
            _tab(service.video, work, source, [smooth], drawn, figure, title, 'video', service.detector is not None)
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
    """Lay out a tab: the upload, where the hand is and the button on the left, results on the right and below.

    Args:
        run: a method of :class:`HandService`; it also gets the values of ``options``.
        title: of the figure.
        name: of the endpoint.
    """
    _take_file(source)
    choices = [_DETECTOR] * has_detector + [_WHOLE, _BOX]
    with gr.Row():
        with gr.Column():
            source.render()
            where = gr.Radio(choices, value=choices[0], label='Where is the hand?')
            with gr.Row(visible=False) as row:
                fields = [
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
    where.change(lambda w: gr.Row(visible=w == _BOX), where, row, api_visibility='private', show_progress='hidden')
    progress = gr.Progress(track_tqdm=True)

    def handle(progress: gr.Progress = progress, *values: Any) -> list[str | None]:
        path, where, *sides, rest = *values[:6], values[6:]
        box = [side or 0 for side in sides] if where == _BOX else None  # an empty field is None
        return _answer(lambda upload, folder: run(upload, folder, box, where == _WHOLE, *rest), path, work)

    results = [text, drawn, figure, keypoints]
    done = button.click(
        handle, [source, where, *fields, *options], results, api_name=name,
        api_visibility='undocumented', concurrency_limit=1, concurrency_id='networks',
    )  # fmt: skip
    for after in (done.success, done.failure):  # its file is gone
        after(lambda: None, None, source, api_visibility='private', show_progress='hidden')
    # the results of the file before would be taken for those of one that is refused
    done.failure(lambda: [None] * len(results), None, results, api_visibility='private', show_progress='hidden')


def _answer(run: Callable[[Path, Path], Result], path: str | None, work: Path) -> list[str | None]:
    """Let a run work on an upload: the text, and files to show. The upload is gone then, whatever happens."""
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
        message = str(e).replace(str(upload), upload.name).replace('--bbox: X Y W H with W and H', 'box: sides')
        raise gr.Error(message, print_exception=False) from e
    finally:
        upload.unlink(missing_ok=True)
        with suppress(OSError):  # the folder of this upload alone, unless the same was uploaded twice
            upload.parent.rmdir()


def _take_file(component: Component) -> None:
    """Let a component hand over its upload as it is. Gradio would decode it by means of its own, with a traceback where
    that fails, and fetch what an address names."""
    move = component.async_move_resource_to_block_cache

    async def only_local(path: str | Path | None) -> str | None:
        if '://' in str(path):
            raise gr.Error('An address is not allowed: upload a file.', print_exception=False)
        return await move(path)

    component.async_move_resource_to_block_cache = only_local
    component.preprocess = lambda payload: payload and payload.path


class _Guard:
    """Refuses requests for addresses elsewhere, which Gradio would fetch, and those that are too large as a whole; and
    tells browsers to fetch nothing from elsewhere either."""

    def __init__(self, app: ASGIApp, max_mb: int) -> None:
        self.app, self.max_mb = app, max_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message.get('headers', ()), (b'content-security-policy', _POLICY)]
            await send(message)

        if scope['type'] == 'http':
            length = dict(scope['headers']).get(b'content-length', b'0')
            if _ELSEWHERE.search(scope['path']):
                return await PlainTextResponse('nothing is fetched from elsewhere', 403)(scope, receive, send)
            if not length.isdigit() or int(length) > self.max_mb * MEGABYTE + _ROOM:
                text = f'expected files of up to {self.max_mb} MB; --max-mb of tools/web_demo.py sets that'
                return await PlainTextResponse(text, 413)(scope, receive, send)
        return await self.app(scope, receive, with_policy)
