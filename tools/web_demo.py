"""A web page on this machine: drop a picture or a video, or use the camera; see and download the keypoints of hands.

The page shows the skeletons, what the network attends to in a picture, the sign of each hand (with ``--gesture``), and
the finger tapping of a video; ``keypoints.json``, as tools/demo.py writes it, can be downloaded. Needs Gradio, which
tools/setup_env.sh installs (or: pip install 'handkp_plugins[web]').

Only this machine can open the page. ``--host 0.0.0.0`` lets everyone in the network do so, without a password: only
where all of them may. Browsers give a page from another machine no camera.
Uploads are deleted as soon as they were worked on, results after ten minutes, and all of it at the end.

Examples:
    python tools/web_demo.py
    python tools/web_demo.py --det configs/my_detector.py work_dirs/my_detector/epoch_20.pth --port 8000
    python tools/web_demo.py --gesture configs/msahp/gesturenet_keypoints.py \
        work_dirs/gesturenet_keypoints/iter_1500.pth
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apis.detection import DEFAULT_DETECTOR
from handkp_plugins.apis.networks import choose_network, named_network
from handkp_plugins.apps.web.service import HandService
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint.shipped import weights_names

HOST, PORT, MAX_MB, MAX_SECONDS = '127.0.0.1', 7860, 50, 20.0
_LOOPBACK = ('127.0.0.1', 'localhost', '::1')


def main(
    pose: Sequence[str | Path] | None = None,
    det: Sequence[str | Path] | None = None,
    gesture: Sequence[str | Path] | None = None,
    device: str = 'auto',
    host: str = HOST,
    port: int = PORT,
    max_mb: int = MAX_MB,
    max_seconds: float = MAX_SECONDS,
    wait: Callable[[], Any] | None = None,
) -> None:
    """Serve the page until the program is stopped.

    Args:
        pose: the network, as NAME of shipped weights, or config and checkpoint; by default ``lite``.
        det: a detector of hands, likewise; by default the shipped one.
        gesture: config and checkpoint of a network that reads signs.
        host: the address to listen at.
        max_mb: size of an upload.
        max_seconds: of a video, what comes later is left out, which the page says.
        wait: what to do while the page is up; by default waits without end.

    Raises:
        FileNotFoundError, OSError: a file is missing, or the port is taken.
        ValueError: Gradio is not installed, a network is unfit, or a number is out of its range.
    """
    try:
        from handkp_plugins.apps.web.page import serving
    except ModuleNotFoundError as e:
        if e.name != 'gradio':
            raise
        raise ValueError(
            "Gradio is not installed: bash tools/setup_env.sh, or pip install 'handkp_plugins[web]'"
        ) from None
    service = HandService(
        choose_network(None, None, None, pose),
        named_network('--det', det or [DEFAULT_DETECTOR]),
        gesture,
        device,
        max_seconds,
    )
    if host not in _LOOPBACK:
        print(f'--host {host}: whoever reaches this machine can use the page, without a password', file=sys.stderr)
    with serving(service, host, port, max_mb) as address:
        print(f'{address}  (Ctrl-C stops)', flush=True)
        (wait or threading.Event().wait)()


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = weights_names(detectors=False)
    parser.add_argument('--pose', nargs='+', metavar='NAME|CONFIG CKPT', help=f'shipped: {names} (default lite)')
    parser.add_argument('--det', nargs='+', metavar='NAME|CONFIG CKPT', help=f'(default {DEFAULT_DETECTOR})')
    parser.add_argument('--gesture', nargs=2, metavar=('CONFIG', 'CKPT'), help='a network that reads signs')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--host', default=HOST, help='address to listen at (default %(default)s: this machine alone)')
    parser.add_argument('--port', type=int, default=PORT, help='default %(default)s')
    parser.add_argument(
        '--max-mb', type=int, default=MAX_MB, metavar='N', help='size of an upload (default %(default)s)'
    )
    parser.add_argument('--max-seconds', type=float, default=MAX_SECONDS, metavar='S',
                        help='of a video, what comes later is left out (default %(default)g)')  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what is temporary is removed then, too
    run_tool(lambda: main(**vars(parse_args())))
