"""Check a network on real photographs and videos that it was not trained on: one table, JSON and pictures.

Examples:
    python tools/analysis/real_check.py --weights lite --data data/real
    python tools/analysis/real_check.py configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py work_dirs/lite/epoch_20.pth \
        --data data/real --output work_dirs/real_check/lite

data/README.md says how the folder looks and where its parts come from; parts that are missing are named and skipped.
Every number says what it is: accuracy, where people, markers or a renderer made the labels, or agreement, where another
program did. The sets are small (see the counts): they tell whether a network carries over to photographs, and are no
benchmark. Nothing is to be tuned to them.

Errors are in pixels of a crop of 256 that is 1.25 times the longer side of the label's box; PCK@0.1 counts keypoints
nearer than 0.1 of that side. The output folder holds real_check.json, for each source the 16 worst hands (left the
prediction, right the label), and for each video a curve of its frames.
"""

import argparse
import heapq
import json
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from real_images import LabelledHand, Source, find_sources
from torch import nn
from tqdm import tqdm

import handkp_plugins  # registers what configs name
from handkp_plugins.apis.inference import init_model, predict_each
from handkp_plugins.apis.networks import checked_network
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.evaluation.functional.alignment import project_onto
from handkp_plugins.evaluation.functional.box_scores import CROP_PADDING, CROP_SIZE, GROUPS, box_scores, crop_pixels
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import write_image
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.visualization import tile
from handkp_plugins.visualization.check_figures import beside_label, plot_frames

NUM_WORST = 16


def main(
    config: str | Path | None = None,
    checkpoint: str | Path | None = None,
    *,
    weights: str | None = None,
    data: str | Path,
    output: str | Path | None = None,
    device: str = 'auto',
    batch_size: int = 16,
) -> dict[str, Any]:
    """Run the check; returns what ``real_check.json`` holds.

    Args:
        config, checkpoint: the network.
        weights: or the name of shipped weights.
        data: the folder of the sources.
        output: by default a folder in work_dirs/real_check of the checkpoint's name.

    Raises:
        FileNotFoundError: a file is missing, or the folder has no source.
        ValueError: the network is not given in exactly one way, or a label file is damaged.
        CheckpointError: the checkpoint is damaged or another network's.
    """
    network = checked_network(config, checkpoint, weights)
    if batch_size < 1:
        raise ValueError(f'--batch-size: expected an integer from 1 on, got {batch_size}')
    sources, missing = find_sources(data)
    model = init_model(network.config, network.file, device)
    output = Path(output or Path('work_dirs/real_check', network.name))
    document: dict[str, Any] = dict(
        version=1,
        checkpoint=network.address,
        config=str(model.cfg.filename),
        sha256=sha256(network.file.read_bytes()).hexdigest(),
        project_version=handkp_plugins.__version__,
        sources=[],
        missing=missing,
    )
    failed = []
    for source in sources:
        try:
            document['sources'].append(check(model, source, output, batch_size))
        except ValueError as error:  # told at the end: one bad set does not cost the results of the others
            failed.append(f'{source.title}: {error}')
    write_text(output / 'real_check.json', json.dumps(document, indent=1))
    print(table(document['sources']))
    for line in [*missing, *(f'{s["title"]}: {p}' for s in document['sources'] for p in s['problems'])]:
        print(line, file=sys.stderr)
    print(f'{output}: real_check.json and pictures')
    if failed:
        raise ValueError('not checked: ' + '; '.join(failed))
    return document


def check(model: nn.Module, source: Source, output: Path, batch_size: int) -> dict[str, Any]:
    """Score one source, and write its pictures; returns its entry of the JSON."""
    names, distances, visibility, boxes, worst = [], [], [], [], []
    hands = source.read()
    with tqdm(total=source.count, desc=source.key, unit='hand') as bar:
        while batch := list(islice(hands, batch_size)):
            for hand, points, label, box in run(model, batch):
                away = np.nan_to_num(np.linalg.norm(points - label, axis=-1), nan=np.inf)
                error = float(crop_pixels(away[None], box[None])[0][hand.visibility > 0].mean())
                entry = (error, -len(names), lambda h=hand, p=points, t=label, b=box: _picture(h, p, t, b))
                (heapq.heappush if len(worst) < NUM_WORST else heapq.heappushpop)(worst, entry)
                names.append((hand.name, error))
                distances.append(away)
                visibility.append(hand.visibility)
                boxes.append(box)
            bar.update(len(batch))
    facts = dict(key=source.key, title=source.title, measures=source.measures, labels=source.labels)
    if not names:
        raise ValueError(f'{source.title}: no picture can be read: {"; ".join(source.problems)}')
    worst.sort(key=lambda entry: entry[:2], reverse=True)
    captions = [f'{names[-place][0]}: {error:.1f} px' for error, place, _ in worst]
    write_image(output / f'{source.key}_worst.jpg', tile([draw() for *_, draw in worst], 4, captions))
    if source.is_video:
        errors = np.array([error for _, error in names])
        frames = np.array([int(name.removeprefix('frame ')) for name, _ in names])
        title = f'{source.title}: {source.measures}'
        plot_frames(output / f'{source.key}_frames.png', frames, errors, title, 0.1 * CROP_SIZE / CROP_PADDING)
    scores = box_scores(np.stack(distances), np.stack(visibility), np.stack(boxes))
    hands_px = {name: round(error, 2) for name, error in names}
    return facts | scores | dict(problems=source.problems, hands_px=hands_px)


def run(
    model: nn.Module, batch: Sequence[LabelledHand]
) -> Iterator[tuple[LabelledHand, np.ndarray, np.ndarray, np.ndarray]]:
    """For each hand its predicted keypoints, its label, both [21, 2] in pixels, and the box that sizes relate to.

    A label without a place in the picture is laid over the result; the box around it is then the network's view in a
    second pass, as the box around a label with a place is in the only one.
    """
    images = [hand.image for hand in batch]
    points, _ = predict_each(model, images, np.stack([hand.box for hand in batch]))
    if batch[0].placement is None:
        yield from ((hand, found, hand.keypoints, hand.box) for hand, found in zip(batch, points, strict=True))
        return
    boxes = [keypoint_box(project_onto(h.keypoints, p, **h.placement)) for h, p in zip(batch, points, strict=True)]
    points, _ = predict_each(model, images, np.stack(boxes))
    for hand, found in zip(batch, points, strict=True):
        label = project_onto(hand.keypoints, found, **hand.placement)
        yield hand, found, label, keypoint_box(label)


def _picture(hand: LabelledHand, points: np.ndarray, label: np.ndarray, box: np.ndarray) -> np.ndarray:
    return beside_label(hand.image, box, points, label, hand.visibility > 0)


def table(sources: Sequence[dict[str, Any]]) -> str:
    """The scores as text: a line for each source, then the mean error of each group."""
    head = ['', 'measures', 'hands', 'points', 'PCK@0.1', 'PCK@0.2', 'median', 'mean', *GROUPS]
    told = any('hidden' in s['groups'] for s in sources)
    head += ['visible', 'hidden'] if told else []
    rows = [head]
    for s in sources:
        row = [s['title'], s['measures'], str(s['n_hands']), str(s['n_keypoints'])]
        row += [f'{s["pck_0.1"]:.3f}', f'{s["pck_0.2"]:.3f}', f'{s["median_px"]:.1f}', f'{s["mean_px"]:.1f}']
        row += [f'{s["groups"][g]["mean_px"]:.1f}' if g in s['groups'] else '-' for g in head[8:]]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        lines.append('  '.join(left + [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]))
    notes = [f'{s["title"]}: labels {s["labels"]}' for s in sources]
    return '\n'.join([*lines, 'median, mean and groups (means): px of a crop of 256', *notes])


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--weights', metavar='NAME', help='shipped weights instead of CONFIG and CHECKPOINT')
    parser.add_argument('--data', required=True, metavar='DIR')
    parser.add_argument('--output', metavar='DIR', help='default: work_dirs/real_check/<checkpoint>')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--batch-size', type=int, default=16)
    return parser.parse_args()


if __name__ == '__main__':
    run_tool(lambda: main(**vars(parse_args())))
