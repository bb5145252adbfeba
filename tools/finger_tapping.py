"""Measure finger tapping in a video, or in the keypoints that tools/demo.py found in one; see docs/finger_tapping.md.

Examples:
    python tools/finger_tapping.py clip.mp4 --whole-image --out tapping
    python tools/finger_tapping.py clip.mp4 --bbox 60 90 300 300 --pose CONFIG CHECKPOINT --out tapping
    python tools/finger_tapping.py out/keypoints.json --hand 1 --out tapping
    python tools/finger_tapping.py data/tapping/annotations/test.json --out tapping

A video goes through the demo first, into OUT/demo; name it before the options, which may be those of tools/demo.py,
too. Keypoints are its keypoints.json, or a COCO file of clips, such as tools/make_synthetic.py --tapping writes.

Writes OUT/tapping.json (everything), taps.csv (a row per tap), distance.csv (a row per frame) and tapping.png, and
prints a summary. Film at 30 frames/s or more, from the thumb's side, with a large hand in the image. This is a tool for
research and no medical device.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apps.demo.demo import run_demo
from handkp_plugins.apps.demo.options import parse_demo_args, wide_help
from handkp_plugins.apps.finger_tapping.figure import plot_tapping
from handkp_plugins.apps.finger_tapping.files import NO_DEVICE, as_document, summary, write_measurement
from handkp_plugins.apps.finger_tapping.hand_series import read_hand, select_hand
from handkp_plugins.apps.finger_tapping.measure import Settings, measure_tapping
from handkp_plugins.apps.finger_tapping.tip_distance import KEYPOINTS, MIN_SCORE
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES

OUT = 'work_dirs/finger_tapping'
_SETTINGS = dict(
    longest_gap='seconds without the hand that are bridged',
    least_amplitude='hand sizes that a tap must open',
    closed='largest distance of the tips at a tap, in hand sizes',
    hesitation='an interval so many times longer than the median is one',
)


def main(
    source: str | Path,
    out: str | Path = OUT,
    hand: str | None = None,
    clip: str | None = None,
    fps: float | None = None,
    score_thr: float = MIN_SCORE,
    settings: Settings | None = None,
    demo_options: Sequence[str] = (),
) -> dict[str, Any]:
    """Measure the tapping of a hand; returns what ``tapping.json`` holds.

    Args:
        source: A video, or a JSON file with keypoints.
        out: Folder for the results.
        hand, clip, fps: See :func:`handkp_plugins.apps.finger_tapping.hand_series.select_hand`.
        score_thr: A frame in which a needed keypoint scores less counts as without the hand.
        demo_options: Of tools/demo.py, for a video.

    Raises:
        FileNotFoundError, OSError: A file is missing, or the folder cannot be written.
        ValueError: The file is not of a known form, has no such hand, or an option is out of range or does not fit.
    """
    source, out = Path(source), Path(out)
    if not 0 <= score_thr <= 1:
        raise ValueError(f'--keypoint-score: expected 0 to 1, got {score_thr}')
    if source.suffix.lower() in VIDEO_SUFFIXES:
        document = run_demo(**parse_demo_args([str(source), *demo_options, '--output', str(out / 'demo')]))
        series = select_hand(document, str(out / 'demo' / 'keypoints.json'), hand, fps, clip)
    elif source.suffix.lower() != '.json' and source.exists():
        raise ValueError(f'{source}: expected a video ({" ".join(VIDEO_SUFFIXES)}) or a .json file of keypoints')
    elif demo_options:
        raise ValueError(f'{demo_options[0]}: expected an option of tools/demo.py with a video only, got {source}')
    else:
        series = read_hand(source, hand, fps, clip)
    tapping = measure_tapping(series.time, series.with_score(score_thr, KEYPOINTS), settings)
    result = as_document(tapping, series)
    write_measurement(out, result, tapping, series)
    rate = '' if tapping.frequency is None else f', {tapping.frequency:.2f} taps/s'
    title = f'{source.name}, hand {series.hand}: {len(tapping.taps)} taps{rate}'
    plot_tapping(tapping, out / 'tapping.png', title, NO_DEVICE)
    print(f'{summary(tapping, series)}\n{NO_DEVICE}\n{out}/: tapping.json, taps.csv, distance.csv, tapping.png')
    return result


def parse_args(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Parse the command line; returns the arguments of :func:`main`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=wide_help, allow_abbrev=False)
    parser.add_argument('source', metavar='VIDEO|KEYPOINTS.json')
    parser.add_argument('--out', default=OUT, metavar='DIR', help='(default %(default)s)')
    parser.add_argument('--hand', metavar='N', help='track or number of the hand (default: that in most frames)')
    parser.add_argument('--clip', metavar='N', help='video_id, if a COCO file has several')
    parser.add_argument('--fps', type=float, help='frame rate that replaces the times in the file')
    parser.add_argument('--keypoint-score', dest='score_thr', type=float, default=MIN_SCORE, metavar='SCORE',
                        help='least score of the needed keypoints in a frame (default %(default)s)')  # fmt: skip
    limits = parser.add_argument_group('limits')
    for field in fields(Settings):
        limits.add_argument(f'--{field.name.replace("_", "-")}', type=float, default=field.default, metavar='X',
                            help=f'{_SETTINGS[field.name]} (default %(default)g)')  # fmt: skip
    known, demo_options = parser.parse_known_args(arguments)
    options = vars(known)
    settings = Settings(**{field.name: options.pop(field.name) for field in fields(Settings)})
    return options | dict(settings=settings, demo_options=demo_options)


if __name__ == '__main__':
    run_tool(lambda: main(**parse_args()), 'stopped; what the demo found is saved')
