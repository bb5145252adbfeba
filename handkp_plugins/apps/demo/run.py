"""Images, or the frames of a video or camera, through a :class:`~.hand_reader.HandReader` to pictures and JSON."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.engine.stopping import deferred_interrupt
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.visualization import FrameRate, VideoFile, Window, draw_hands, draw_rate, heatmap_overlay

from .hand_reader import FoundHand, HandReader
from .keypoints_file import KeypointsFile
from .sources import Stream


@dataclass
class Run:
    """One run of a program.

    Args:
        reader: finds the hands.
        output: an existing folder for the pictures.
        file: takes what is found; it is closed at the end, whatever happens.
        score_thr: keypoints below it are drawn faint.
        video_suffix: of written videos: .mp4, or .webm, which browsers play.
    """

    reader: HandReader
    output: Path
    file: KeypointsFile
    score_thr: float = 0.3
    video_suffix: str = '.mp4'
    _without: list[str] = field(default_factory=list)

    def images(self, source: Path, files: Sequence[Path]) -> None:
        """Run all images; what gives nothing is skipped and listed.

        Raises:
            ValueError: none could be used.
            KeyboardInterrupt: the user has stopped it.
        """
        complete = False
        try:
            with deferred_interrupt() as stopped:
                for path in tqdm(files, unit='image', disable=len(files) == 1):
                    self._image(path)
                    if stopped():
                        raise KeyboardInterrupt
            complete = True
        finally:
            self.file.close(complete)
        self._report_images(source)

    def stream(
        self,
        stream: Stream,
        max_frames: int | None = None,
        window: Window | None = None,
        with_rate: bool = True,
        name: str | None = None,
    ) -> None:
        """Run all frames, or so many; says where the video or camera ended early.

        Args:
            max_frames: stop after so many.
            window: show each picture in it, too; where the user leaves it, the run stops.
            with_rate: write the frame rate into the pictures.
            name: of the written video, without suffix; by default the source's.

        Raises:
            OSError: a file cannot be written.
            KeyboardInterrupt: the user has stopped a video; that is a camera's usual end.
        """
        complete = False
        try:
            complete = self._frames(stream, max_frames, window, with_rate, name)
        finally:
            smoothing = self.reader.smoothing
            late = {} if smoothing is None else self.reader.lateness()
            self.file.close(complete, smoothing=smoothing and dict(smoothing, **late))
        self._report_stream(late)

    def _image(self, path: Path) -> None:
        try:
            image = read_image(path)
            boxes = self.reader.given_boxes(path, image.shape[1::-1])
        except (ValueError, OSError) as e:
            self.file.skip(path.name, str(e).removeprefix(f'{path}: '))
            return
        hands = self.reader.read(image, boxes)
        picture, heat = self._draw(image, hands)
        write_image(self.output / path.name, picture)
        if heat is not None:
            write_image(self.output / 'heatmaps' / path.name, heat)
        self.file.add(_item(path.name, image, hands))
        if not hands:
            self._without.append(path.name)

    def _frames(
        self, stream: Stream, max_frames: int | None, window: Window | None, with_rate: bool, name: str | None
    ) -> bool:
        """Run the frames; returns whether they were all that were wanted."""
        path = Path(stream.name)
        name = name or (stream.name.replace(':', '_') if stream.is_camera else path.stem)
        boxes = self.reader.given_boxes(path, stream.size)
        rate, total = FrameRate(), min(n for n in (stream.announced or np.inf, max_frames or np.inf))
        with ExitStack() as stack:
            pictures = stack.enter_context(VideoFile(self.output / f'{name}{self.video_suffix}', stream.fps))
            heats = stack.enter_context(VideoFile(self.output / 'heatmaps' / f'{name}{self.video_suffix}', stream.fps))
            if window is not None:
                stack.callback(window.close)
            bar = stack.enter_context(tqdm(total=None if total == np.inf else total, unit='frame'))
            stopped = stack.enter_context(deferred_interrupt())
            for seconds, frame in stream:
                hands = self.reader.read_frame(frame, seconds, boxes)
                picture, heat = self._draw(frame, hands)
                now = rate.tick()
                if with_rate and now is not None:
                    draw_rate(picture, now)
                until = seconds if stream.is_camera else 0.0
                pictures.append_until(picture, until)
                if heat is not None:
                    heats.append_until(heat, until)
                self.file.add(dict(frame=bar.n, time=round(seconds, 4)) | _item(path.name, frame, hands))
                bar.update()
                quits = window is not None and not window.show(picture)
                if stopped() and not stream.is_camera:
                    raise KeyboardInterrupt
                if bar.n == max_frames or quits or stopped():
                    return stream.is_camera or bar.n == stream.announced
        return self._ended(stream)

    def _ended(self, stream: Stream) -> bool:
        """Say where a video or camera has ended before it should; returns whether it has not."""
        done = self.file.num_items
        if stream.is_camera:
            print(
                f'{stream.name}: the camera gives no more pictures (is it unplugged?); {done} frames are saved',
                file=sys.stderr,
            )
            return False
        if done < stream.announced:
            print(
                f'{stream.name}: frame {done} of {stream.announced} cannot be read; the {done} before it are saved',
                file=sys.stderr,
            )
        return done >= stream.announced

    def _draw(self, image: np.ndarray, hands: Sequence[FoundHand]) -> tuple[np.ndarray, np.ndarray | None]:
        """The picture with its hands, and its heatmaps where the network gives them."""
        with self.reader.clock('drawing'):
            picture = draw_hands(image, hands, self.score_thr)
        maps = [hand.heatmap for hand in hands if hand.heatmap is not None]
        return picture, heatmap_overlay(image, np.max(maps, axis=0)) if maps else None

    def _report_images(self, source: Path) -> None:
        skipped = self.file.skipped
        if skipped and not source.is_dir():
            raise ValueError(f'{source}: {skipped[0]["reason"]}')
        if skipped:
            _list(f'skipped {len(skipped)}', [f'{s["file"]}: {s["reason"]}' for s in skipped])
        if not self.file.num_items:
            raise ValueError(f'{source}: no picture could be used')
        if self._without:
            _list(f'no hand was found in {len(self._without)} of {self.file.num_items} pictures', self._without)
        print(f'{self.file.num_items} pictures, {self.file.num_hands} hands: {self.output}')

    def _report_stream(self, late: dict[str, float | None]) -> None:
        file, refused = self.file, self.reader.tracker.refused
        if file.num_empty:
            print(f'no hand was found in {file.num_empty} of {file.num_items} frames', file=sys.stderr)
        if refused:
            print(
                f'{refused} boxes of the detector were not followed: their keypoints score less than '
                f'{self.reader.tracker.min_score:g} on average, or lie elsewhere',
                file=sys.stderr,
            )
        if self.reader.smoothing is not None:
            lag = 'nothing moved for long enough to measure it'
            if late['lag'] is not None:
                lag = f"{1e3 * late['lag']:.0f} ms, measured on the hands' movement"
            own = '' if late['delay'] is None else f'; 1/(2π cutoff) of the filter, {1e3 * late["delay"]:.0f} ms'
            print(f'smoothing makes keypoints late by: {lag}{own}')
        print(f'{file.num_items} frames, {file.num_hands} hands: {self.output}')


def _item(file: str, image: np.ndarray, hands: Sequence[FoundHand]) -> dict[str, Any]:
    height, width = image.shape[:2]
    return dict(file=file, width=width, height=height, instances=[hand.instance() for hand in hands])


def _list(title: str, lines: Sequence[str]) -> None:
    print(f'{title}:', *(f'  {line}' for line in lines), sep='\n', file=sys.stderr)
