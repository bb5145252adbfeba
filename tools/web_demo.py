r"""Serve a web page on this machine: drop an image or a video, or use the camera, and download the keypoints of hands.

The page shows the skeletons, what the network attends to in an image, the sign of each hand (with --gesture) and the
finger tapping of a video. It needs Gradio, which tools/setup_env.sh installs (or: pip install 'handkp_plugins[web]').

Only this machine can open the page. With --host 0.0.0.0 everyone in the network can, without a password, but browsers
give a page from another machine no camera. Uploads are deleted after use, results after ten minutes, and everything at
the end.

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
from handkp_plugins.apis.networks import DEFAULT_POSE, Network, find_network
from handkp_plugins.apps.demo.options import HandOptions, NetworkOptions, add_options, wide_help
from handkp_plugins.apps.web.service import HandService
from handkp_plugins.cli.tool import run_tool

HOST, PORT, MAX_MB, MAX_SECONDS = '127.0.0.1', 7860, 50, 20.0
_LOOPBACK = ('127.0.0.1', 'localhost', '::1')


def main(
    pose: Sequence[str | Path] = (DEFAULT_POSE,),
    det: Sequence[str | Path] = (DEFAULT_DETECTOR,),
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
        pose, det: Networks of keypoints and of hands, each NAME of shipped weights, or CONFIG and CHECKPOINT.
        gesture: CONFIG and CHECKPOINT of a network that recognizes signs.
        host: Address to listen on.
        max_mb: Largest upload.
        max_seconds: The rest of a longer video is left out; the page says so.
        wait: Called while the page is up; by default waits forever.

    Raises:
        FileNotFoundError, OSError: A file is missing, or the port is in use.
        ValueError: Gradio is not installed, a network does not fit, or a number is out of its range.
    """
    try:
        from handkp_plugins.apps.web.page import serving
    except ModuleNotFoundError as e:
        if e.name != 'gradio':
            raise
        raise ValueError(
            "Gradio is not installed: bash tools/setup_env.sh, or pip install 'handkp_plugins[web]'"
        ) from None
    networks = find_network(*pose, option='--pose'), find_network(*det, option='--det')
    service = HandService(*networks, gesture and Network(*gesture), device, max_seconds)
    if host not in _LOOPBACK:
        print(f'--host {host}: whoever reaches this machine can use the page, without a password', file=sys.stderr)
    with serving(service, host, port, max_mb) as address:
        print(f'{address}  (Ctrl-C stops)', flush=True)
        (wait or threading.Event().wait)()


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=wide_help)
    add_options(parser, NetworkOptions, ('pose', 'gesture', 'device'))
    add_options(parser, HandOptions, ('det',))
    parser.add_argument('--host', default=HOST, help='address to listen on (default %(default)s: this machine only)')
    parser.add_argument('--port', type=int, default=PORT, metavar='N', help='(default %(default)s)')
    parser.add_argument('--max-mb', type=int, default=MAX_MB, metavar='N', help='largest upload (default %(default)s)')
    parser.add_argument('--max-seconds', type=float, default=MAX_SECONDS, metavar='X',
                        help='the rest of a longer video is left out (default %(default)g)')  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that temporary files are removed then, too
    run_tool(lambda: main(**vars(parse_args())))
