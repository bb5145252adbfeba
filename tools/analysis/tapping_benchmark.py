"""Check the measurement of finger tapping on generated hands whose taps are known; prints Markdown tables.

Examples:
    python tools/analysis/tapping_benchmark.py
    python tools/analysis/tapping_benchmark.py --weights lite --clips 3 --data data/tapping
    python tools/analysis/tapping_benchmark.py CONFIG CHECKPOINT --clips 3 --data data/tapping

Without a network: true keypoints of generated clips, ten seconds at 30 frames/s, without and with noise of 2 pixels
(standard deviation of each coordinate) and 5 % missing frames; steady taps, and taps whose amplitude falls by half
while intervals vary by 10 %. Nothing is rendered. The images would have 256x256 pixels, and the palm about 80.

With a network: its keypoints on rendered clips of steady taps, which tools/make_synthetic.py --tapping makes in DATA/HZ
if they are missing, in the annotated boxes. A row per clip.

These are synthetic hands; nothing follows for people's hands.
"""

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.apis.inference import init_model, predict_each
from handkp_plugins.apis.networks import find_network
from handkp_plugins.apps.finger_tapping.hand_series import read_hand
from handkp_plugins.apps.finger_tapping.measure import Tapping, measure_tapping
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.coco import SPLITS
from handkp_plugins.fileio.images import read_image
from handkp_plugins.fileio.json import read_json
from handkp_plugins.synthetic.datasets.generate import generate
from handkp_plugins.synthetic.datasets.recipe import TapRecipe
from handkp_plugins.synthetic.hand.model import ProceduralHand

RATES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)
NETWORK_RATES = (0.5, 1.0, 2.0, 3.0, 4.5, 6.0)
SIZE = 256
NOISE, DROPPED = 2.0, 0.05  # pixels, share of frames
KINDS = {'steady': {}, 'decrement, jitter': dict(amplitude_decrement=0.5, interval_jitter=0.1)}
_BATCH = 32


def main(
    config: str | Path | None = None,
    checkpoint: str | Path | None = None,
    *,
    weights: str | None = None,
    data: str | Path = 'data/tapping',
    rates: Sequence[float] | None = None,
    clips: int = 10,
    seconds: float = 10.0,
    size: int = SIZE,
    seed: int = 0,
    workers: int | None = None,
    device: str = 'auto',
    json_file: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Measure and print; returns the rows.

    Args:
        config, checkpoint: A network; or ``weights``, the name of shipped weights; or none of these.
        data: Folder of the rendered clips.
        rates: Taps per second.
        clips: Of each rate and kind, from 3 on.
        seconds: Of each clip.
        size: Of the images, pixels.
        workers: Processes that render; None for one per usable core.

    Raises:
        ValueError: A number is out of range, the network is not named in one way, or a set in ``data`` was made with
            other arguments.
    """
    with_network = any((config, checkpoint, weights))
    rates = tuple(rates or (NETWORK_RATES if with_network else RATES))
    fps = TapRecipe.fps
    common = dict(num=clips, frames=round(seconds * fps) + 1, fps=fps, size=size, height=size, seed=seed)
    if with_network:
        model = init_model(*find_network(config, checkpoint, weights=weights), device)
        recipes = [TapRecipe(**common, tapping=rate) for rate in rates]
        rows = [row for r in recipes for row in _network_rows(model, Path(data) / f'{r.tapping:g}', r, workers)]
        text = _table_of_clips(rows)
    else:
        rows = [
            row
            for kind, options in KINDS.items()
            for rate in tqdm(rates, desc=kind, unit='rate')
            for row in _true_rows(kind, TapRecipe(**common, tapping=rate, **options))
        ]
        text = _table(rows)
    print(text)
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1))
    return rows


def score(tapping: Tapping, taps: np.ndarray) -> dict[str, Any]:
    """Return the figures of a measurement and their errors, for the true times of the taps."""
    true = (len(taps) - 1) / (taps[-1] - taps[0])
    intervals = np.diff(taps)
    off = None if tapping.frequency is None else abs(tapping.frequency / true - 1)
    return dict(
        taps=len(taps),
        count=len(tapping.taps),
        frequency=tapping.frequency,
        frequency_error=off,
        noise=tapping.noise,
        amplitude=tapping.amplitude,
        decrement=tapping.decrement,
        interval_cv=tapping.interval_cv,
        true_interval_cv=float(intervals.std(ddof=1) / intervals.mean()) if len(intervals) > 1 else None,
        used=float(np.isfinite(tapping.distance).mean()),
        reason=tapping.reason,
    )


def _true_rows(kind: str, recipe: TapRecipe) -> Iterator[dict[str, Any]]:
    """Rows from true keypoints, without and with noise."""
    maker = recipe.build_maker(models=[ProceduralHand()], **recipe.size_args)
    for clip in range(recipe.num):
        plan = maker.plan(recipe.seed, clip)
        pixels = plan.base_scene.camera.project(plan.keypoints.reshape(-1, 3)).reshape(-1, 21, 2)
        rng = np.random.default_rng([recipe.seed, clip, 4])
        noisy = pixels + rng.normal(0, NOISE, pixels.shape)
        noisy[rng.random(len(noisy)) < DROPPED] = np.nan
        for series, points in (('true', pixels), ('noisy', noisy)):
            row = dict(kind=kind, rate=recipe.tapping, clip=clip, series=series)
            yield row | score(measure_tapping(maker.time, points), recipe.taps(clip))


def _network_rows(model: Any, folder: Path, recipe: TapRecipe, workers: int | None) -> Iterator[dict[str, Any]]:
    """Rows from a network's keypoints on rendered clips."""
    with tqdm(total=recipe.num_images, unit='image', desc=f'{folder}: hands', smoothing=0.05) as bar:
        generate(folder, recipe, workers or len(os.sched_getaffinity(0)), bar.update)
    for split in SPLITS:
        path = folder / 'annotations' / f'{split}.json'
        document = read_json(path)
        for video in document['videos']:
            series = read_hand(path, clip=str(video['id']))
            boxes = {a['image_id']: a['bbox'] for a in document['annotations']}
            images = [image for image in document['images'] if image['video_id'] == video['id']]
            frames = [(folder / image['file_name'], boxes[image['id']]) for image in images]
            points = _predict(model, tqdm(frames, unit='frame', desc=f'{folder}: clip {video["id"]}'))
            row = dict(kind='steady', rate=recipe.tapping, clip=video['id'], series='network')
            off = np.linalg.norm(points - series.keypoints, axis=-1)[:, [4, 8]]
            row['tip_error'] = float(np.nanmedian(off))
            row['true_amplitude'] = measure_tapping(series.time, series.keypoints).amplitude
            yield row | score(measure_tapping(series.time, points), np.array(video['tap_times']))


def _predict(model: Any, frames: Iterable[tuple[Path, Sequence[float]]]) -> np.ndarray:
    """Return keypoints (N, 21, 2) in frames (path, box x y w h)."""
    found, frames = [], iter(frames)
    while batch := list(islice(frames, _BATCH)):
        boxes = np.array([[x, y, x + w, y + h] for _, (x, y, w, h) in batch])
        found.append(predict_each(model, [read_image(path) for path, _ in batch], boxes)[0])
    return np.concatenate(found)


def _table(rows: list[dict[str, Any]]) -> str:
    """A line for each kind, rate and series."""
    lines = [
        '| taps | taps/s | keypoints | clips | frequency error: median, greatest | count: least, greatest error | '
        'variation of intervals: measured, true | amplitude lost |',
        '|---|---|---|---|---|---|---|---|',
    ]
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        groups.setdefault((row['series'], row['kind'], row['rate']), []).append(row)
    for (series, kind, rate), own in sorted(groups.items(), key=lambda g: (g[0][0] != 'true', g[0][1] != 'steady')):
        errors = [r['frequency_error'] for r in own if r['frequency_error'] is not None]
        missing = len(own) - len(errors)
        off = [r['count'] - r['taps'] for r in own]
        error = f'{np.median(errors):.2%}, {max(errors):.2%}' if errors else '–'
        error += f'; {missing} without' if missing else ''
        measured, true, lost = (_mean(own, key) for key in ('interval_cv', 'true_interval_cv', 'decrement'))
        lines.append(
            f'| {kind} | {rate:g} | {series} | {len(own)} | {error} | {min(off):+d}, {max(off):+d} | '
            f'{measured}, {true} | {lost} |'
        )
    return '\n'.join(lines)


def _mean(rows: list[dict[str, Any]], key: str) -> str:
    known = [row[key] for row in rows if row[key] is not None]
    return f'{np.mean(known):.1%}' if known else '–'


def _table_of_clips(rows: list[dict[str, Any]]) -> str:
    """A line for each clip."""
    lines = [
        '| taps/s | clip | taps: measured, true | frequency | error | amplitude: measured, from true keypoints | '
        'noise (hand sizes) | median error of the tips (px) |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for r in rows:
        frequency, error = (
            (r['reason'], '–') if r['frequency'] is None else (f'{r["frequency"]:.3f}', f'{r["frequency_error"]:.2%}')
        )
        amplitude = '–' if r['amplitude'] is None else f'{r["amplitude"]:.2f}'
        lines.append(
            f'| {r["rate"]:g} | {r["clip"]} | {r["count"]}, {r["taps"]} | {frequency} | {error} | '
            f'{amplitude}, {r["true_amplitude"]:.2f} | {r["noise"]:.3f} | {r["tip_error"]:.1f} |'
        )
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='of a network')
    parser.add_argument('checkpoint', nargs='?', help='its weights')
    parser.add_argument('--weights', metavar='NAME', help='shipped weights instead of CONFIG and CHECKPOINT')
    parser.add_argument('--data', default='data/tapping', metavar='DIR', help='(default %(default)s)')
    parser.add_argument('--rates', type=float, nargs='+', metavar='HZ', help='taps a second')
    parser.add_argument('--clips', type=int, default=10, help='of each rate and kind (default %(default)s)')
    parser.add_argument('--seconds', type=float, default=10.0, help='of each clip (default %(default)g)')
    parser.add_argument('--size', type=int, default=SIZE, help='of the images, pixels (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    parser.add_argument('--workers', type=int, help='processes that render (default: one per core)')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--json', dest='json_file', metavar='FILE')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; clips that are rendered stay')
