"""Measure the speed of tools/demo.py on this machine: detection, pose and drawing in ms per frame, and frames/s.

A generated video of one or two moving hands goes through the demo, from the file to the written video and JSON: with
the detector in each frame, and every n frames. The detector runs as usual, but its boxes are replaced by those of the
generator, so that times do not depend on how well it detects. The first frames, which warm up, are not counted.
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
from handkp_plugins.apis.networks import DEFAULT_POSE, find_network
from handkp_plugins.apps.demo.hand_pipeline import HandPipeline
from handkp_plugins.apps.demo.keypoints_file import KeypointsFile
from handkp_plugins.apps.demo.options import HandOptions, NetworkOptions, add_options, wide_help
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
    det: Sequence[str | Path] = (DEFAULT_DETECTOR,),
    pose: Sequence[str | Path] = (DEFAULT_POSE,),
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
        det, pose: Networks, as for tools/demo.py.
        frames: Of the video, after those that warm up.
        every: Frames from one run of the detector to the next.
        hands: 1 or 2.
        size: Width and height.
        threads: Of torch.
        out: JSON file for the result.

    Raises:
        ValueError: A number is out of its range, or there are no such networks.
    """
    if frames < 1 or every < 2 or hands not in (1, 2):
        raise ValueError(f'frames, every, hands: expected from 1, from 2, 1 or 2, got {frames}, {every}, {hands}')
    if threads is not None:
        torch.set_num_threads(threads)
    model = init_model(*find_network(*pose, option='--pose'), device)
    network = find_network(*det, option='--det')
    detector = init_detector(*network, device)
    result: dict[str, Any] = dict(
        detector=str(network.checkpoint), pose=str(model.cfg.filename), size=list(size), hands=hands,
        device=resolve_device(device), threads=torch.get_num_threads(),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        video, boxes = write_video(Path(folder, 'hands.mp4'), _WARM_UP + frames, hands, size)
        for name, n in (('each frame', 1), (f'every {every} frames', every)):
            result[name] = measure(model, detector, video, boxes, n)
    report(result)
    if out is not None:
        write_text(out, json.dumps(result, indent=1))
    return result


def write_video(path: Path, frames: int, hands: int, size: Sequence[int]) -> tuple[Path, np.ndarray]:
    """Write a video of hands that move beside each other; returns it with their boxes (frames, hands, 4)."""
    width, height = size[0] // hands, size[1]
    maker = ClipMaker(frames, _FPS, width, height, models=[ProceduralHand()], alone=True)
    boxes = []
    with VideoFile(path, _FPS) as video:
        for samples in zip(*(maker.make_clip(0, i) for i in range(hands)), strict=True):
            video.append(np.hstack([s.image[..., ::-1] for s in samples]))
            corners = [np.array(s.annotation['bbox']) for s in samples]
            boxes.append([[x + i * width, y, x + i * width + w, y + h] for i, (x, y, w, h) in enumerate(corners)])
    return path, np.array(boxes, np.float32)


def measure(
    model: torch.nn.Module, detector: HandDetector, video: Path, boxes: np.ndarray, every: int
) -> dict[str, float]:
    """Send the video through the demo; returns times per frame after the warm-up."""
    clock, state = Clock(), dict(frame=-1, runs=0, start=0.0)

    def detect(image: np.ndarray) -> Detections:
        state['runs'] += 1
        detector(image)
        known = boxes[state['frame']]
        return Detections(known, np.ones(len(known), np.float32), [None] * len(known))

    class Frames(Stream):
        """The video, with the index of the current frame."""

        def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
            for i, frame in enumerate(super().__iter__()):
                state['frame'] = i
                if i == _WARM_UP:
                    clock.seconds.clear()
                    state.update(runs=0, start=time.perf_counter())
                yield frame

    pipeline = HandPipeline(model, None, detect, every=every, track_thr=0.0, smoothing={}, clock=clock)
    with closing(Frames(video)) as stream, contextlib.redirect_stdout(io.StringIO()):
        run = Run(pipeline, video.parent, KeypointsFile(video.parent, {}))
        run.stream(stream, None, None, True, name='drawn')
    counted = len(boxes) - _WARM_UP
    total = time.perf_counter() - state['start']
    seconds = dict(clock.seconds)
    seconds['tracking'] -= seconds.get('detection', 0.0) + seconds['pose']
    seconds['rest'] = total - sum(seconds.values())
    times = {f'{step}_ms': 1e3 * seconds.get(step, 0.0) / counted for step in STEPS}
    return dict(
        times,
        frames_per_second=counted / total,
        detector_runs=state['runs'],
        detection_ms_a_run=1e3 * seconds.get('detection', 0.0) / max(1, state['runs']),
        hands=run.file.num_hands / run.file.num_items,
    )


def report(result: dict[str, Any]) -> None:
    """Print the result as a table."""
    print(
        f'{result["size"][0]}x{result["size"][1]}, {result["hands"]} hand(s), {result["device"]}, '
        f'{result["threads"]} threads; detector: {result["detector"]}; pose: {Path(result["pose"]).name}'
    )
    print(f'{"detector in":<18}' + ''.join(f'{step:>11}' for step in STEPS) + '    frames/s  hands a frame')
    for name, row in result.items():
        if not isinstance(row, dict):
            continue
        print(
            f'{name:<18}' + ''.join(f'{row[f"{step}_ms"]:>8.1f} ms' for step in STEPS)
            + f'{row["frames_per_second"]:>12.1f}{row["hands"]:>15.2f}'
        )  # fmt: skip
        print(f'{"":<18}the detector ran {row["detector_runs"]} times, {row["detection_ms_a_run"]:.1f} ms each')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=wide_help,
        epilog='example: python tools/analysis/benchmark_demo.py --hands 2',
    )
    add_options(parser, HandOptions, ('det',))
    add_options(parser, NetworkOptions, ('pose', 'device'))
    parser.add_argument('--frames', type=int, default=90, help='(default %(default)s)')
    parser.add_argument('--every', type=int, default=10, help='(default %(default)s)')
    parser.add_argument('--hands', type=int, default=1, help='1 or 2 (default %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=(640, 480), metavar=('W', 'H'), help='(default 640 480)')
    parser.add_argument('--threads', type=int, help='of torch')
    parser.add_argument('--out', metavar='JSON')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
