"""What the web page does with an uploaded picture or video, without the page: the way of tools/demo.py, within limits.

Uploads are data: they are decoded by :mod:`handkp_plugins.fileio`, and only after the size that their header states
has been checked.
"""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handkp_plugins.apis.attention import attention_figure
from handkp_plugins.apis.detection import init_detector
from handkp_plugins.apis.gestures import GestureReader
from handkp_plugins.apis.hand_boxes import make_hand_finder
from handkp_plugins.apis.inference import init_model
from handkp_plugins.apis.networks import Network
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES

from ..demo.hand_reader import HandReader
from ..demo.keypoints_file import KeypointsFile, make_header
from ..demo.run import Run
from ..demo.smoothing import BETA, MIN_CUTOFF
from ..demo.sources import IMAGE_SUFFIXES, Stream
from ..finger_tapping.figure import plot_tapping
from ..finger_tapping.files import NO_DEVICE, summary
from ..finger_tapping.hand_series import read_hand
from ..finger_tapping.measure import measure_tapping
from ..finger_tapping.tip_distance import LEAST_SCORE, USED

MAX_PIXELS = 64_000_000
"""Of a picture or frame: a small file can unfold to gigabytes."""
_FORMATS = ('JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF')
_SHOWN = ('.jpg', '.jpeg', '.png', '.webp')  # by every browser
Box = Sequence[float]


@dataclass(frozen=True)
class Result:
    """What the page shows; files lie in the folder of the run.

    Args:
        drawn: the picture or video with the hands.
        figure: what the network attends to in a picture, or the tapping of a video; None where there is none.
        keypoints: ``keypoints.json``.
        text: what was found, a line each.
    """

    drawn: Path
    figure: Path | None
    keypoints: Path
    text: list[str]


class HandService:
    """Networks that are loaded once, for one run at a time.

    Args:
        network: of the keypoints.
        detector: of hands; without it the box is given for each picture, or is the whole of it.
        gesture: config and checkpoint of a network that reads signs.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        max_seconds: of a video, what comes later is not read, and the text says so.

    Raises:
        FileNotFoundError, CheckpointError, ValueError: as the functions that load these networks; or the number of
            seconds is none.
    """

    def __init__(
        self,
        network: Network,
        detector: Network | None = None,
        gesture: Network | None = None,
        device: str = 'auto',
        max_seconds: float = 20.0,
    ) -> None:
        if not (math.isfinite(max_seconds) and max_seconds > 0):
            raise ValueError(f'--max-seconds: expected a number above 0, got {max_seconds}')
        self.network, self.detector_network, self.max_seconds = network, detector, max_seconds
        self.model = init_model(*network, device)
        self.detector = detector and init_detector(*detector, device)
        self.gestures = gesture and GestureReader(*gesture, device=device)
        make_header('', network, detector, self.model)  # tells an unfit network before the page is up

    def image(self, path: Path, folder: Path, box: Box | None = None, whole: bool = False) -> Result:
        """Find the hands of a picture.

        Args:
            path: the upload, which is left as it is.
            folder: an empty one for what is written.
            box: (x, y, width, height) in pixels; without it and ``whole``, the detector finds hands.
            whole: take the whole picture as the box.

        Raises:
            ValueError: it is no picture that can be read, too large, or the box is unfit; the message names the upload.
        """
        _check_suffix(path, 'picture', IMAGE_SUFFIXES)
        _check_picture(path)
        run = self._run(path, folder, box, whole)
        run.images(path, [path])
        (item,) = run.file.read()['items']
        drawn = folder / path.name
        if drawn.suffix.lower() not in _SHOWN:
            drawn = folder / 'drawn.png'
            write_image(drawn, read_image(folder / path.name))
        figure, remark = self._attention(path, item['instances'], folder)
        text = [_describe(i, hand) for i, hand in enumerate(item['instances'])] + remark
        return Result(drawn, figure, run.file.path, text or ['No hand was found: give its box.'])

    def video(
        self, path: Path, folder: Path, box: Box | None = None, whole: bool = False, smooth: bool = False
    ) -> Result:
        """Find the hands of a video, and measure the finger tapping of the one that is in most frames.

        Args:
            path, folder, box, whole: as for :meth:`image`.
            smooth: smooth keypoints over the frames. Tapping is measured on those, then.

        Raises:
            ValueError, OSError: it is no video that can be read, or the box is unfit; the message names the upload.
        """
        _check_suffix(path, 'video', VIDEO_SUFFIXES)
        if self.gestures is not None:
            self.gestures.read_frame([])  # no frames of the video before may vote
        with closing(Stream(path)) as stream:
            _check_pixels(path, *stream.size)
            most = max(1, math.ceil(self.max_seconds * stream.fps))
            run = self._run(path, folder, box, whole, dict(min_cutoff=MIN_CUTOFF, beta=BETA) if smooth else None)
            run.stream(stream, most, with_rate=False, name='hands')
            document = run.file.read()
        done, announced = len(document['items']), stream.announced
        text = [f'{done} frames, a hand in {done - run.file.num_empty} of them.']
        if done == most and not document['complete']:
            of = f' of {announced / stream.fps:.1f} s' if announced else ''
            text.append(f'Only the first {done / stream.fps:.1f} s{of} were read: longer videos are cut there.')
        elif not document['complete']:
            text.append(f'Frame {done} of {announced} cannot be read; those before it were.')
        signs = [hand.get('gesture') for item in document['items'] for hand in item['instances']]
        if any(signs):
            often = max(set(signs), key=signs.count)
            text.append(f'Sign: {often}, in {signs.count(often)} of {len(signs)} hands of single frames.')
        figure, tapping = self._tapping(path, run.file.path, folder)
        return Result(folder / 'hands.webm', figure, run.file.path, text + tapping)

    def _run(
        self, path: Path, folder: Path, box: Box | None, whole: bool, smoothing: dict[str, float] | None = None
    ) -> Run:
        finder = None
        if self.detector is None or box is not None or whole:
            finder = make_hand_finder(None if box is None else [box], whole, None)
        detector = self.detector if finder is None else None
        reader = HandReader(self.model, finder, detector, self.gestures, smoothing=smoothing)
        header = make_header(path.name, self.network, detector and self.detector_network, self.model)
        return Run(reader, folder, KeypointsFile(folder, header), video_suffix='.webm')

    def _attention(self, path: Path, hands: Sequence[dict[str, Any]], folder: Path) -> tuple[Path | None, list[str]]:
        """The figure of what the network attends to, of all hands one below the other; else why there is none."""
        image, figures = read_image(path), []
        for hand in hands:
            x, y, width, height = hand['bbox']
            try:
                figures.append(attention_figure(self.model, image, np.array([x, y, x + width, y + height])))
            except ValueError as e:
                return None, [f'No picture of attention: {e}.']
        if not figures:
            return None, []
        write_image(folder / 'attention.png', np.concatenate(figures))
        return folder / 'attention.png', []

    def _tapping(self, path: Path, keypoints: Path, folder: Path) -> tuple[Path | None, list[str]]:
        """The figure of finger tapping and its numbers; without a hand to measure, the reason."""
        try:
            series = read_hand(keypoints)
        except ValueError as e:
            return None, [f'Finger tapping: not measured: {str(e).removeprefix(f"{keypoints}: ")}.']
        tapping = measure_tapping(series.time, series.above(LEAST_SCORE, USED))
        figure = folder / 'tapping.png'
        rate = '' if tapping.frequency is None else f', {tapping.frequency:.2f} taps/s'
        plot_tapping(tapping, figure, f'{path.name}: {len(tapping.taps)} taps{rate}', NO_DEVICE)
        lines = summary(tapping, replace(series, source='Finger tapping')).splitlines()
        return figure, [*lines, NO_DEVICE]


def _describe(index: int, hand: dict[str, Any]) -> str:
    parts = [f'mean score of the keypoints {np.mean(hand["scores"]):.2f}']
    if 'handedness' in hand:
        parts.insert(0, hand['handedness'])
    if 'gesture' in hand:
        parts.append(f'sign {hand["gesture"]} ({hand["gesture_score"]:.0%})')
    return f'Hand {index + 1}: {", ".join(parts)}.'


def _check_suffix(path: Path, kind: str, suffixes: Sequence[str]) -> None:
    if path.suffix.lower() not in suffixes:
        raise ValueError(f'{path}: expected a {kind} here ({" ".join(suffixes)}), got {path.suffix!r}')


def _check_picture(path: Path) -> None:
    """Refuse by its header, before it is decoded, what is no picture or too large."""
    try:
        with Image.open(path, formats=_FORMATS) as header:
            size = header.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
        reason = 'it is far too large' if isinstance(e, Image.DecompressionBombError) else 'its header is not of one'
        raise ValueError(f'{path}: expected a picture ({", ".join(_FORMATS)}); {reason}') from None
    _check_pixels(path, *size)


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(
            f'{path}: expected up to {MAX_PIXELS / 1e6:.0f} megapixels, got {width}x{height} '
            f'({width * height / 1e6:.0f})'
        )
