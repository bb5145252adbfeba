"""Check a network on real images and videos that it was not trained on: a table, JSON and images.

Examples:
    python tools/analysis/real_check.py --weights lite --data data/real
    python tools/analysis/real_check.py configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py work_dirs/lite/epoch_20.pth \
        --data data/real --output work_dirs/real_check/lite

data/README.md describes the folder and where its parts come from; missing parts are named and skipped. Every number
says what it measures: accuracy, where people, markers or a renderer made the labels, or agreement, where another
program did. The sets are small (see the counts): they show whether a network works on real images, and are no
benchmark. Do not tune anything to them.

Errors are in pixels of a crop of 256 that is 1.25 times the longer side of the label's box; PCK@0.1 counts keypoints
closer than 0.1 of that side. The output folder holds real_check.json, the 16 worst hands of each source (left the
prediction, right the label), and for each video a curve over its frames.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from heapq import nlargest
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from real_images import LabelledHand, Source, check_sources, find_sources, parse_arguments
from torch import nn
from tqdm import tqdm

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.apis.inference import init_model, predict_each
from handkp_plugins.apis.networks import find_network
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.evaluation.functional.alignment import project_onto
from handkp_plugins.evaluation.functional.box_scores import CROP_PADDING, CROP_SIZE, GROUPS, box_scores, crop_pixels
from handkp_plugins.fileio.images import write_image
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.visualization import tile
from handkp_plugins.visualization.hand import draw_beside_label
from handkp_plugins.visualization.plots import plot_frame_errors
from handkp_plugins.visualization.report import format_table

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
    """Run the check with the arguments of the command line; return the content of ``real_check.json``.

    Raises:
        FileNotFoundError: A file is missing, or the folder has no source.
        ValueError: The network is not named in exactly one way, or a label file is damaged.
        CheckpointError: The checkpoint is damaged or belongs to another network.
    """
    network = find_network(config, checkpoint, weights=weights)
    if batch_size < 1:
        raise ValueError(f'--batch-size: expected an integer from 1 on, got {batch_size}')
    sources = find_sources(data)
    model = init_model(network.config, network.file, device)
    facts = dict(config=str(model.cfg.filename), sha256=sha256(network.file.read_bytes()).hexdigest())
    return check_sources('real_check', network, sources, output, partial(check, model, batch_size), table, facts)


def check(model: nn.Module, batch_size: int, source: Source, output: Path) -> dict[str, Any] | None:
    """Score one source and write its images; return its scores, or None if nothing can be read."""
    results, worst = [], []
    hands = source.read()
    with tqdm(total=source.count, desc=source.key, unit='hand') as bar:
        while batch := list(islice(hands, batch_size)):
            for hand, points, label, box in predict_batch(model, batch):
                distance = np.nan_to_num(np.linalg.norm(points - label, axis=-1), nan=np.inf)
                error = float(crop_pixels(distance[None], box[None])[0][hand.visibility > 0].mean())
                worst.append((error, -len(results), hand, points, label, box))
                results.append((hand.name, error, distance, hand.visibility, box))
            worst = nlargest(NUM_WORST, worst, key=lambda entry: entry[:2])
            bar.update(len(batch))
    if not results:
        return None
    names, errors, *arrays = zip(*results, strict=True)
    captions = [f'{hand.name}: {error:.1f} px' for error, _, hand, *_ in worst]
    images = [
        draw_beside_label(hand.image, box, points, label, hand.visibility > 0)
        for _, _, hand, points, label, box in worst
    ]
    write_image(output / f'{source.key}_worst.jpg', tile(images, 4, captions))
    if source.is_video:
        frames = np.array([int(name.removeprefix('frame ')) for name in names])
        title = f'{source.title}: {source.measures}'
        path = output / f'{source.key}_frames.png'
        plot_frame_errors(frames, np.array(errors), path, title, 0.1 * CROP_SIZE / CROP_PADDING)
    return dict(
        box_scores(*map(np.stack, arrays)),
        hands_px={name: round(error, 2) for name, error in zip(names, errors, strict=True)},
    )


def predict_batch(
    model: nn.Module, batch: Sequence[LabelledHand]
) -> Iterator[tuple[LabelledHand, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each hand with its predicted keypoints, its label, both [21, 2] in pixels, and the box that scores refer
    to.

    A label without a position in the image is aligned with the prediction; the network then sees the box around the
    aligned label in a second pass.
    """
    images, boxes = [hand.image for hand in batch], [hand.box for hand in batch]
    points, _ = predict_each(model, images, np.stack(boxes))
    labels = [hand.keypoints for hand in batch]
    if batch[0].placement is not None:
        boxes = [keypoint_box(project_onto(h.keypoints, p, **h.placement)) for h, p in zip(batch, points, strict=True)]
        points, _ = predict_each(model, images, np.stack(boxes))
        labels = [project_onto(h.keypoints, p, **h.placement) for h, p in zip(batch, points, strict=True)]
        boxes = [keypoint_box(label) for label in labels]
    yield from zip(batch, points, labels, boxes, strict=True)


def table(sources: Sequence[dict[str, Any]]) -> str:
    """Return the scores as text: a line for each source, with the mean error of each group."""
    groups = [*GROUPS, *(['visible', 'hidden'] if any('hidden' in s['groups'] for s in sources) else [])]
    rows = [['', 'measures', 'hands', 'points', 'PCK@0.1', 'PCK@0.2', 'median', 'mean', *groups]]
    for s in sources:
        row = [s['title'], s['measures'], str(s['n_hands']), str(s['n_keypoints'])]
        row += [f'{s["pck_0.1"]:.3f}', f'{s["pck_0.2"]:.3f}', f'{s["median_px"]:.1f}', f'{s["mean_px"]:.1f}']
        rows.append(row + [f'{s["groups"][g]["mean_px"]:.1f}' if g in s['groups'] else '-' for g in groups])
    notes = [f'{s["title"]}: labels {s["labels"]}' for s in sources]
    return '\n'.join([format_table(rows, 2), 'median, mean and groups (means): px of a crop of 256', *notes])


if __name__ == '__main__':
    arguments = parse_arguments(__doc__, ('--batch-size', dict(type=int, default=16, help='(default %(default)s)')))
    run_tool(lambda: main(**arguments))
