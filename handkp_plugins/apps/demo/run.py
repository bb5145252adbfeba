"""Images, or the frames of a video or camera, through a :class:`~.hand_pipeline.HandPipeline` to drawings and JSON."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.engine.stopping import deferred_interrupt
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.visualization import FrameRate, VideoFile, Window, draw_hands, draw_rate, heatmap_overlay

from .hand_pipeline import HandPipeline, HandResult
from .keypoints_file import KeypointsFile
from .mesh_drawing import MeshDrawer
from .sources import Stream


@dataclass
class Run:
    """One run of a program. ``file`` is closed at the end of :meth:`images` and :meth:`stream`, also after an error."""

    pipeline: HandPipeline
    output: Path  # an existing folder for the drawn images
    file: KeypointsFile
    score_thr: float = 0.3  # keypoints below it are drawn faint
    video_suffix: str = '.mp4'  # or .webm, which browsers play
    _empty: list[str] = field(default_factory=list)
    _meshes: MeshDrawer = field(default_factory=MeshDrawer)

    def images(self, source: Path, files: Sequence[Path]) -> dict[str, Any]:
        """Process all images; those that cannot be used are skipped and listed. Returns what ``keypoints.json`` holds.

        Raises ValueError if no image could be used, and KeyboardInterrupt if the user has stopped it.
        """
        complete = False
        try:
            with deferred_interrupt() as stopped:
                for path in tqdm(files, unit='image', disable=len(files) == 1):
                    try:
                        image, boxes = self.load(path)
                    except (ValueError, OSError) as e:
                        self.file.skip(path.name, str(e).removeprefix(f'{path}: '))
                    else:
                        self.image(path.name, image, boxes)
                    if stopped():
                        raise KeyboardInterrupt
            complete = True
        finally:
            document = self.file.close(complete)
        self._report_images(source)
        return document

    def load(self, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
        """Return an image and the user's boxes for it; raises ValueError or OSError, with its path, if it has none."""
        image = read_image(path)
        try:
            return image, self.pipeline.boxes_for(path, image.shape[1::-1])
        except ValueError as e:
            raise ValueError(f'{path}: {e}') from None

    def image(self, name: str, image: np.ndarray, boxes: np.ndarray | None) -> tuple[list[HandResult], np.ndarray]:
        """Process one image and write its results; returns its hands and the drawn image."""
        hands = self.pipeline.process_image(image, boxes)
        drawn, heat = self._draw(image, hands)
        write_image(self.output / name, drawn)
        for i, hand in enumerate(hands):
            if hand.mesh is not None:
                write_text(self.output / 'meshes' / f'{Path(name).stem}_{i}.obj', hand.mesh.as_obj())
        if heat is not None:
            write_image(self.output / 'heatmaps' / name, heat)
        self.file.add(_item(name, image, hands))
        if not hands:
            self._empty.append(name)
        return hands, drawn

    def stream(
        self,
        stream: Stream,
        max_frames: int | None = None,
        window: Window | None = None,
        with_rate: bool = True,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Process all frames, or some; says if the video or camera ended early. Returns what ``keypoints.json`` holds.

        Args:
            max_frames: Stop after so many.
            window: Show each drawn frame in it, too; the run stops when the user leaves it.
            with_rate: Write the frame rate into the frames.
            name: Of the written video, without suffix; by default the source's.

        Raises KeyboardInterrupt if the user has stopped a video; a camera ends like this.
        """
        complete, smoothing = False, self.pipeline.smoothing
        try:
            complete = self._frames(stream, max_frames, window, with_rate, name)
        finally:
            lag = {} if smoothing is None else self.pipeline.smoothing_lag()
            document = self.file.close(complete, smoothing=smoothing and dict(smoothing, **lag))
        self._report_stream(lag)
        return document

    def _frames(
        self, stream: Stream, max_frames: int | None, window: Window | None, with_rate: bool, name: str | None
    ) -> bool:
        """Process the frames; returns whether these were all that were wanted."""
        path = Path(stream.name)
        name = name or (stream.name.replace(':', '_') if stream.is_camera else path.stem)
        boxes = self.pipeline.boxes_for(path, stream.size)
        rate, total = FrameRate(), min(n for n in (stream.announced or np.inf, max_frames or np.inf))
        with ExitStack() as stack:
            drawings, heats = (
                stack.enter_context(VideoFile(folder / f'{name}{self.video_suffix}', stream.fps))
                for folder in (self.output, self.output / 'heatmaps')
            )
            if window is not None:
                stack.callback(window.close)
            bar = stack.enter_context(tqdm(total=None if total == np.inf else total, unit='frame'))
            stopped = stack.enter_context(deferred_interrupt())
            for seconds, frame in stream:
                hands = self.pipeline.process_frame(frame, seconds, boxes)
                drawn, heat = self._draw(frame, hands)
                now = rate.tick()
                if with_rate and now is not None:
                    draw_rate(drawn, now)
                until = seconds if stream.is_camera else 0.0
                drawings.append_until(drawn, until)
                if heat is not None:
                    heats.append_until(heat, until)
                self.file.add(dict(frame=bar.n, time=round(seconds, 4)) | _item(path.name, frame, hands))
                bar.update()
                quits = window is not None and not window.show(drawn)
                if stopped() and not stream.is_camera:
                    raise KeyboardInterrupt
                if bar.n == max_frames or quits or stopped():
                    return stream.is_camera or bar.n == stream.announced
        return self._ended(stream)

    def _ended(self, stream: Stream) -> bool:
        """Return whether a video or camera has ended as it should, and say so if it has not."""
        done = self.file.num_items
        if stream.is_camera:
            problem = f'the camera gives no more images (is it unplugged?); {done} frames are saved'
        elif done < stream.announced:
            problem = f'frame {done} of {stream.announced} cannot be read; the {done} before it are saved'
        else:
            return True
        print(f'{stream.name}: {problem}', file=sys.stderr)
        return False

    def _draw(self, image: np.ndarray, hands: Sequence[HandResult]) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the image with its hands, and with its heatmaps if the network gives them."""
        with self.pipeline.clock('drawing'):
            meshes = [hand.mesh for hand in hands if hand.mesh is not None]
            drawn = draw_hands(self._meshes.draw(image, meshes), hands, self.score_thr)
        maps = [hand.heatmap for hand in hands if hand.heatmap is not None]
        return drawn, heatmap_overlay(image, np.max(maps, axis=0)) if maps else None

    def _report_images(self, source: Path) -> None:
        file = self.file
        if file.skipped and not source.is_dir():
            raise ValueError(f'{source}: {file.skipped[0]["reason"]}')
        if file.skipped:
            _list(f'skipped {len(file.skipped)}', [f'{s["file"]}: {s["reason"]}' for s in file.skipped])
        if not file.num_items:
            raise ValueError(f'{source}: no image could be used')
        if self._empty:
            _list(f'no hand was found in {len(self._empty)} of {file.num_items} images', self._empty)
        print(f'{file.num_items} images, {file.num_hands} hands: {self.output}')

    def _report_stream(self, lag: dict[str, float | None]) -> None:
        file, tracker = self.file, self.pipeline.tracker
        if file.num_empty:
            print(f'no hand was found in {file.num_empty} of {file.num_items} frames', file=sys.stderr)
        if tracker.refused:
            print(
                f'{tracker.refused} boxes of the detector were not followed: their keypoints score less than '
                f'{tracker.min_score:g} on average, or lie elsewhere',
                file=sys.stderr,
            )
        if lag:
            measured = 'nothing moved for long enough to measure it'
            if lag['lag'] is not None:
                measured = f"{1e3 * lag['lag']:.0f} ms, measured on the hands' movement"
            own = '' if lag['delay'] is None else f'; 1/(2π cutoff) of the filter, {1e3 * lag["delay"]:.0f} ms'
            print(f'smoothing delays keypoints by: {measured}{own}')
        print(f'{file.num_items} frames, {file.num_hands} hands: {self.output}')


def _item(file: str, image: np.ndarray, hands: Sequence[HandResult]) -> dict[str, Any]:
    height, width = image.shape[:2]
    return dict(file=file, width=width, height=height, instances=[hand.as_instance() for hand in hands])


def _list(title: str, lines: Sequence[str]) -> None:
    print(f'{title}:', *(f'  {line}' for line in lines), sep='\n', file=sys.stderr)
