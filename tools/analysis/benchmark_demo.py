"""Measure how fast tools/demo.py is on this machine: detection, pose and drawing in ms a frame, and frames a second.

Generates a video of moving hands (640×480, one hand; with --hands 2 two of them beside each other) and sends it through
the demo, from the file to the written video and keypoints.json: with the detector in each frame, and every n frames.
The detector computes as ever, but the boxes that are followed are those the generator knows, so that times do not
depend on how well it detects. Without --det it is the shipped one. The first frames, which warm up, are not
counted.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apis.detection import DEFAULT_DETECTOR, Detections, HandDetector, init_detector
from handkp_plugins.apis.inference import init_model, resolve_device
from handkp_plugins.apis.networks import choose_network, named_network
from handkp_plugins.apps.demo.hand_reader import HandReader
from handkp_plugins.apps.demo.keypoints_file import KeypointsFile
from handkp_plugins.apps.demo.run import Run
from handkp_plugins.apps.demo.sources import Stream
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.synthetic.clips.clip import ClipMaker
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.visualization.video import VideoFile

STEPS = ('detection', 'pose', 'tracking', 'drawing', 'rest')
_FPS = 30
_WARM_UP = 5


@dataclass
class Clock:
    """Adds up the seconds of each step."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - start


def main(
    det: Sequence[str | Path] | None = None,
    pose: Sequence[str | Path] | None = None,
    frames: int = 90,
    every: int = 10,
    hands: int = 1,
    size: Sequence[int] = (640, 480),
    device: str = 'auto',
    threads: int | None = None,
    out: str | Path | None = None,
) -> dict[str, Any]:
    """Measure and print; returns, for 'each frame' and 'every N frames', ms a frame for each of :data:`STEPS`,
    ``frames_per_second`` and how many times the detector ran.

    Args:
        det, pose: networks, as for tools/demo.py.
        frames: of the video, after those that warm up.
        every: frames from one run of the detector to the next.
        hands: 1 or 2.
        size: width and height.
        threads: of torch; by default as many as it takes.
        out: JSON file for the result.

    Raises:
        ValueError: a number is out of its range, or there are no such networks.
    """
    if frames < 1 or every < 2 or hands not in (1, 2):
        raise ValueError(f'expected frames from 1, every from 2 and hands 1 or 2, got {frames}, {every} and {hands}')
    if threads is not None:
        torch.set_num_threads(threads)
    model = init_model(*choose_network(None, None, None, pose), device)
    detector, named = make_detector(det, device)
    result: dict[str, Any] = dict(
        detector=named, pose=str(model.cfg.filename), size=list(size), hands=hands, device=resolve_device(device),
        threads=torch.get_num_threads(),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        video, boxes = write_video(Path(folder, 'hands.mp4'), _WARM_UP + frames, hands, size)
        for name, n in (('each frame', 1), (f'every {every} frames', every)):
            result[name] = measure(model, detector, video, boxes, n)
    report(result)
    if out is not None:
        write_text(out, json.dumps(result, indent=1))
    return result


def make_detector(det: Sequence[str | Path] | None, device: str) -> tuple[HandDetector, str]:
    """The detector, and what it is called in the result."""
    network = named_network('--det', det or [DEFAULT_DETECTOR])
    return init_detector(*network, device), str(network[1])


def write_video(path: Path, frames: int, hands: int, size: Sequence[int]) -> tuple[Path, np.ndarray]:
    """Write a video of hands that move beside each other; returns it with their boxes (frames, hands, 4)."""
    width, height = size[0] // hands, size[1]
    maker = ClipMaker(frames, _FPS, width, height, models=[ProceduralHand()], alone=True)
    boxes = []
    with VideoFile(path, _FPS) as video:
        for samples in zip(*(maker.clip(0, i) for i in range(hands)), strict=True):
            video.append(np.hstack([s.image[..., ::-1] for s in samples]))
            corners = [np.array(s.annotation['bbox']) for s in samples]
            boxes.append([[x + i * width, y, x + i * width + w, y + h] for i, (x, y, w, h) in enumerate(corners)])
    return path, np.array(boxes, np.float32)


def measure(
    model: torch.nn.Module, detector: HandDetector, video: Path, boxes: np.ndarray, every: int
) -> dict[str, float]:
    """Send the video through the demo; what was counted is on what follows the warming up."""
    clock, seen = Clock(), dict(frame=-1, runs=0, start=0.0)

    def detect(image: np.ndarray) -> Detections:
        seen['runs'] += 1
        detector(image)
        known = boxes[seen['frame']]
        return Detections(known, np.ones(len(known), np.float32), [None] * len(known))

    class Frames(Stream):
        """The video, with the number of the frame that is worked on."""

        def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
            for i, frame in enumerate(super().__iter__()):
                seen['frame'] = i
                if i == _WARM_UP:
                    clock.seconds.clear()
                    seen.update(runs=0, start=time.perf_counter())
                yield frame

    reader = HandReader(model, None, detect, every=every, track_thr=0.0, smoothing={}, clock=clock)
    with closing(Frames(video)) as stream, contextlib.redirect_stdout(io.StringIO()):
        run = Run(reader, video.parent, KeypointsFile(video.parent, {}))
        run.stream(stream, None, None, True, name='drawn')
    counted = len(boxes) - _WARM_UP
    total = time.perf_counter() - seen['start']
    seconds = dict(clock.seconds)
    seconds['tracking'] -= seconds.get('detection', 0.0) + seconds['pose']
    seconds['rest'] = total - sum(seconds.values())
    times = {f'{step}_ms': 1e3 * seconds.get(step, 0.0) / counted for step in STEPS}
    return dict(
        times,
        frames_per_second=counted / total,
        detector_runs=seen['runs'],
        detection_ms_a_run=1e3 * seconds.get('detection', 0.0) / max(1, seen['runs']),
        hands=run.file.num_hands / run.file.num_items,
    )


def report(result: dict[str, Any]) -> None:
    """Print the result as a table."""
    ways = [name for name, value in result.items() if isinstance(value, dict)]
    print(
        f'{result["size"][0]}x{result["size"][1]}, {result["hands"]} hand(s), {result["device"]}, '
        f'{result["threads"]} threads; detector: {result["detector"]}; pose: {Path(result["pose"]).name}'
    )
    print(f'{"detector in":<18}' + ''.join(f'{step:>11}' for step in STEPS) + '    frames/s  hands a frame')
    for name in ways:
        row = result[name]
        print(
            f'{name:<18}' + ''.join(f'{row[f"{step}_ms"]:>8.1f} ms' for step in STEPS)
            + f'{row["frames_per_second"]:>12.1f}{row["hands"]:>15.2f}'
        )  # fmt: skip
        print(f'{"":<18}the detector ran {row["detector_runs"]} times, {row["detection_ms_a_run"]:.1f} ms each')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/analysis/benchmark_demo.py --hands 2',
    )
    parser.add_argument('--det', nargs='+', metavar='NAME|CONFIG CKPT', help=f'(default {DEFAULT_DETECTOR})')
    parser.add_argument('--pose', nargs='+', metavar='NAME|CONFIG CKPT', help='network (default lite)')
    parser.add_argument('--frames', type=int, default=90, help='(default %(default)s)')
    parser.add_argument('--every', type=int, default=10, help='(default %(default)s)')
    parser.add_argument('--hands', type=int, default=1, help='1 or 2 (default %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=(640, 480), metavar=('W', 'H'), help='(default 640 480)')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--threads', type=int, help='of torch')
    parser.add_argument('--out', metavar='JSON')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
