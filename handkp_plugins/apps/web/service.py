"""What the web page does with an uploaded image or video: the demo within limits, without the page.

Uploads are data: they are decoded by :mod:`handkp_plugins.fileio`, and only after the size in their header was checked.
"""

import math
from collections import Counter
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
from handkp_plugins.fileio.images import IMAGE_SUFFIXES, write_image
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES

from ..demo.hand_pipeline import HandPipeline, HandResult
from ..demo.keypoints_file import KeypointsFile, make_header
from ..demo.run import Run
from ..demo.smoothing import BETA, MIN_CUTOFF
from ..demo.sources import Stream
from ..finger_tapping.figure import plot_tapping
from ..finger_tapping.files import NO_DEVICE, summary
from ..finger_tapping.hand_series import select_hand
from ..finger_tapping.measure import measure_tapping
from ..finger_tapping.tip_distance import KEYPOINTS, MIN_SCORE

MAX_PIXELS = 64_000_000
"""Of an image or frame: a small file may decode to gigabytes."""
_FORMATS = ('JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF')
_BROWSER_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp')
Box = Sequence[float]


@dataclass(frozen=True)
class Result:
    """What the page shows; files lie in the folder of the run."""

    drawn: Path  # the image or video with the hands
    figure: Path | None  # what the network attends to in an image, or the tapping in a video
    keypoints: Path  # keypoints.json
    text: list[str]  # what was found, a line each


class HandService:
    """Networks that are loaded once, for one run at a time.

    Args:
        network: Of the keypoints.
        detector: Of hands; without it a box is given for each image, or is the whole image.
        gesture: A network that recognizes signs.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        max_seconds: Above 0. The rest of a longer video is left out; the text says so.
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
        make_header('', network, detector, self.model)  # checks the network before the page is up

    def image(self, path: Path, folder: Path, box: Box | None = None, whole: bool = False) -> Result:
        """Find the hands of an image.

        Args:
            path: The upload, which is not changed.
            folder: An empty folder for the output.
            box: (x, y, width, height) in pixels; without it and ``whole``, the detector finds hands.
            whole: Take the whole image as the box.

        Raises ValueError if the file is no image that can be read or too large, or the box does not fit.
        """
        _check_suffix(path, 'image', IMAGE_SUFFIXES)
        _check_header(path)
        run = self._run(path, folder, box, whole)
        complete = False
        try:
            image, boxes = run.load(path)
            hands, drawn = run.image(path.name, image, boxes)
            complete = True
        finally:
            run.file.close(complete)
        shown = folder / path.name
        if shown.suffix.lower() not in _BROWSER_SUFFIXES:
            shown = folder / 'drawn.png'
            write_image(shown, drawn)
        figure, remark = self._attention(image, hands, folder)
        text = [_describe(i, hand) for i, hand in enumerate(hands)] + remark
        return Result(shown, figure, run.file.path, text or ['No hand was found: give its box.'])

    def video(
        self, path: Path, folder: Path, box: Box | None = None, whole: bool = False, smooth: bool = False
    ) -> Result:
        """Find the hands of a video, and measure the finger tapping of the hand in most frames.

        Arguments and errors are those of :meth:`image`; with ``smooth``, keypoints are smoothed after the measurement.
        """
        _check_suffix(path, 'video', VIDEO_SUFFIXES)
        if self.gestures is not None:
            self.gestures.read_frame([])  # removes the votes of the previous video
        with closing(Stream(path)) as stream:
            _check_pixels(path, *stream.size)
            most = max(1, math.ceil(self.max_seconds * stream.fps))
            run = self._run(path, folder, box, whole, dict(min_cutoff=MIN_CUTOFF, beta=BETA) if smooth else None)
            document = run.stream(stream, most, with_rate=False, name='hands')
        done, announced = run.file.num_items, stream.announced
        text = [f'{done} frames, a hand in {done - run.file.num_empty} of them.']
        if done == most and not document['complete']:
            of = f' of {announced / stream.fps:.1f} s' if announced else ''
            text.append(f'Only the first {done / stream.fps:.1f} s{of} were read: longer videos are cut there.')
        elif not document['complete']:
            text.append(f'Frame {done} of {announced} cannot be read; those before it were.')
        signs = Counter(hand.get('gesture') for item in document['items'] for hand in item['instances'])
        for sign, count in signs.most_common(1):
            if sign:
                text.append(f'Sign: {sign}, in {count} of {signs.total()} hands of single frames.')
        figure, tapping = self._tapping(path.name, document, folder)
        return Result(folder / 'hands.webm', figure, run.file.path, text + tapping)

    def _run(
        self, path: Path, folder: Path, box: Box | None, whole: bool, smoothing: dict[str, float] | None = None
    ) -> Run:
        finder = None
        if self.detector is None or box is not None or whole:
            finder = make_hand_finder(None if box is None else [box], whole, None)
        detector = self.detector if finder is None else None
        pipeline = HandPipeline(self.model, finder, detector, self.gestures, smoothing=smoothing)
        header = make_header(path.name, self.network, detector and self.detector_network, self.model)
        return Run(pipeline, folder, KeypointsFile(folder, header), video_suffix='.webm')

    def _attention(self, image: np.ndarray, hands: Sequence[HandResult], folder: Path) -> tuple[Path | None, list[str]]:
        """Write the figure of what the network attends to in each hand; returns it, or the reason for none."""
        try:
            figures = [attention_figure(self.model, image, hand.box) for hand in hands]
        except ValueError as e:
            return None, [f'No figure of attention: {e}.']
        if not figures:
            return None, []
        write_image(folder / 'attention.png', np.concatenate(figures))
        return folder / 'attention.png', []

    def _tapping(self, name: str, document: dict[str, Any], folder: Path) -> tuple[Path | None, list[str]]:
        """Write the figure of finger tapping; returns it and the numbers, or the reason for none."""
        try:
            series = select_hand(document, name)
        except ValueError as e:
            return None, [f'Finger tapping: not measured: {str(e).removeprefix(f"{name}: ")}.']
        tapping = measure_tapping(series.time, series.with_score(MIN_SCORE, KEYPOINTS))
        figure = folder / 'tapping.png'
        rate = '' if tapping.frequency is None else f', {tapping.frequency:.2f} taps/s'
        plot_tapping(tapping, figure, f'{name}: {len(tapping.taps)} taps{rate}', NO_DEVICE)
        lines = summary(tapping, replace(series, source='Finger tapping')).splitlines()
        return figure, [*lines, NO_DEVICE]


def _describe(index: int, hand: HandResult) -> str:
    parts = [f'mean score of the keypoints {hand.scores.mean():.2f}']
    if hand.handedness:
        parts.insert(0, hand.handedness)
    if hand.gesture:
        parts.append(f'sign {hand.gesture[0]} ({hand.gesture[1]:.0%})')
    return f'Hand {index + 1}: {", ".join(parts)}.'


def _check_suffix(path: Path, kind: str, suffixes: Sequence[str]) -> None:
    if path.suffix.lower() not in suffixes:
        raise ValueError(f'{path}: expected a file of the kind {kind} ({" ".join(suffixes)}), got {path.suffix!r}')


def _check_header(path: Path) -> None:
    """Raise ValueError if the header, read without decoding, is not of an image or says that it is too large."""
    try:
        with Image.open(path, formats=_FORMATS) as header:
            size = header.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
        got = 'one that is far too large' if isinstance(e, Image.DecompressionBombError) else 'another header'
        raise ValueError(f'{path}: expected an image ({", ".join(_FORMATS)}), got {got}') from None
    _check_pixels(path, *size)


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(
            f'{path}: expected up to {MAX_PIXELS / 1e6:.0f} megapixels, got {width}x{height} '
            f'({width * height / 1e6:.0f})'
        )
