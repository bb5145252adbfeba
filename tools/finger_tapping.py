"""Measure finger tapping: from a video, or from the keypoints that tools/demo.py found in one.

Examples:
    python tools/finger_tapping.py clip.mp4 --whole-image --out tapping
    python tools/finger_tapping.py clip.mp4 --bbox 60 90 300 300 --config CONFIG --checkpoint CHECKPOINT --out tapping
    python tools/finger_tapping.py out/keypoints.json --hand 1 --out tapping
    python tools/finger_tapping.py data/tapping/annotations/test.json --out tapping

A video, named before all options, goes through tools/demo.py first, which gets those that are not listed below (box,
network; see tools/demo.py --help) and writes into OUT/demo. Keypoints are its keypoints.json, or a COCO file of clips,
such as tools/make_synthetic.py --tapping writes.

Writes OUT/tapping.json (everything), taps.csv (a line for each tap), distance.csv (a line for each frame) and
tapping.png (distance of the tips with the taps marked, frequency and amplitude over time), and prints a summary: number
of taps, taps a second, variation of the intervals, amplitude and what is lost of it, speed, hesitations. What each
means: docs/finger_tapping.md. Where the tips hardly move it says "not enough movement", and gives no figures.

Film at 30 frames a second or more, from the thumb's side, the hand large in the picture. This is a tool for research
and no medical device.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from handkp_plugins.apps.finger_tapping.figure import plot_tapping
from handkp_plugins.apps.finger_tapping.files import NO_DEVICE, as_document, summary, write_measurement
from handkp_plugins.apps.finger_tapping.hand_series import read_hand
from handkp_plugins.apps.finger_tapping.measure import Settings, measure_tapping
from handkp_plugins.apps.finger_tapping.tip_distance import LEAST_SCORE, USED
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES

OUT = 'work_dirs/finger_tapping'
_DEFAULTS = Settings()


def main(
    source: str | Path,
    out: str | Path = OUT,
    hand: str | None = None,
    clip: str | None = None,
    fps: float | None = None,
    score_thr: float = LEAST_SCORE,
    settings: Settings | None = None,
    demo_options: Sequence[str] = (),
) -> dict[str, Any]:
    """Measure the tapping of a hand; returns what ``tapping.json`` holds.

    Args:
        source: a video, or a JSON file with keypoints.
        out: folder to write to.
        hand, clip, fps: see :func:`handkp_plugins.apps.finger_tapping.hand_series.read_hand`.
        score_thr: frames in which a needed keypoint has a lower score count as without the hand.
        demo_options: of tools/demo.py, for a video.

    Raises:
        FileNotFoundError, OSError: a file is missing, or the folder cannot be written.
        ValueError: the file is not of a known form, has no such hand, or an option is out of range or of no use.
    """
    source, out = Path(source), Path(out)
    if not 0 <= score_thr <= 1:
        raise ValueError(f'--keypoint-score: expected 0 to 1, got {score_thr}')
    keypoints = source
    if source.suffix.lower() in VIDEO_SUFFIXES:
        keypoints = _run_demo(source, out / 'demo', demo_options)
    elif source.suffix.lower() != '.json' and source.exists():
        raise ValueError(f'{source}: expected a video ({" ".join(VIDEO_SUFFIXES)}) or a .json file of keypoints')
    elif demo_options:
        raise ValueError(f'{demo_options[0]}: expected an option of tools/demo.py with a video only; {source} is none')
    series = read_hand(keypoints, hand, fps, clip)
    tapping = measure_tapping(series.time, series.above(score_thr, USED), settings)
    document = as_document(tapping, series)
    write_measurement(out, document, tapping, series)
    text = summary(tapping, series)
    plot_tapping(tapping, out / 'tapping.png', _title(source, document), NO_DEVICE)
    print(f'{text}\n{NO_DEVICE}\n{out}/: tapping.json, taps.csv, distance.csv, tapping.png')
    return document


def _title(source: Path, document: dict[str, Any]) -> str:
    rate = document['frequency']
    return f'{source.name}, hand {document["hand"]}: {document["count"]} taps' + (
        f', {rate:.2f} taps/s' if rate else ''
    )


def _run_demo(video: Path, output: Path, options: Sequence[str]) -> Path:
    """Find the keypoints of a video by tools/demo.py; returns their file."""
    demo = _demo()
    demo.main(**vars(demo.parse_args([str(video), *options, '--output', str(output)])))
    return output / 'keypoints.json'


def _demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location('handkp_demo', Path(__file__).with_name('demo.py'))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def parse_args(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """The command line, as arguments of :func:`main`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument('source', metavar='VIDEO|KEYPOINTS.json')
    parser.add_argument('--out', default=OUT, metavar='DIR', help='(default %(default)s)')
    parser.add_argument('--hand', metavar='N', help='track or number of the hand (default: that in most frames)')
    parser.add_argument('--clip', metavar='N', help='video_id, where a COCO file has several')
    parser.add_argument('--fps', type=float, help='frame rate that counts instead of the times in the file')
    parser.add_argument('--keypoint-score', dest='score_thr', type=float, default=LEAST_SCORE, metavar='SCORE',
                        help='frames with a lower one count as without the hand (default %(default)s)')  # fmt: skip
    settings = parser.add_argument_group('what counts as what')
    add = partial(settings.add_argument, type=float, metavar='X')
    add('--longest-gap', default=_DEFAULTS.longest_gap,
        help='seconds without the hand that are bridged (default %(default)g)')  # fmt: skip
    add('--least-amplitude', default=_DEFAULTS.least_amplitude,
        help='hand sizes that a tap must open (default %(default)g)')  # fmt: skip
    add('--closed', default=_DEFAULTS.closed,
        help='hand sizes that the tips are apart at a tap at most (default %(default)g)')  # fmt: skip
    add('--hesitation', default=_DEFAULTS.hesitation,
        help='an interval so many times as long as the median is one (default %(default)g)')  # fmt: skip
    known, rest = parser.parse_known_args(arguments)
    options = vars(known)
    return options | {'settings': {f.name: options.pop(f.name) for f in fields(Settings)}, 'demo_options': rest}


def run(settings: dict[str, float], **arguments: Any) -> dict[str, Any]:
    """:func:`main` with the settings as numbers."""
    return main(settings=Settings(**settings), **arguments)


if __name__ == '__main__':
    command = parse_args()
    run_tool(lambda: run(**command), 'stopped; what tools/demo.py found is saved')
