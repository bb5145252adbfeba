"""See on real photographs and videos, which it was not trained on, whether a detector finds the hands.

Examples:
    python tools/analysis/detect_real.py --weights hand_detector --data data/real
    python tools/analysis/detect_real.py configs/hand_detection/rtmdet_nano_320_scenes.py \
        work_dirs/rtmdet_nano_320_scenes/epoch_12.pth --data data/real --score-thr 0.4

data/README.md says how the folder looks; parts that are missing are named and skipped. A labelled hand is found where
a box of the detector has an IoU of 0.5 or more with the label's box; those are drawn by several rules, from tight about
the keypoints (Panoptic) to 1.36 times as large (FreiHAND). Other boxes may be false, or hands that nobody labelled: see
the pictures. Of videos every --every-th frame is looked at. The label of the retargeting video is one box that holds
the hand throughout: a folded hand fills less than half of it, and counts as not found however well it is.

The output folder holds detect_real.json, and for each source a sheet of its pictures (48 at most): in green what was
found and its score, in white the label of a hand found, in red that of one not found.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from real_images import LabelledHand, Source, find_sources
from torchvision.ops import box_iou

import handkp_plugins
from handkp_plugins.apis.detection import init_detector
from handkp_plugins.apis.networks import checked_network
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import write_image
from handkp_plugins.visualization import tile

FOUND_FROM = 0.5
"""IoU."""
NUM_FRAMES = 48
_CELL = (320, 320)
_GREEN, _WHITE, _RED = (60, 220, 60), (255, 255, 255), (40, 40, 230)


def main(
    config: str | Path | None = None,
    checkpoint: str | Path | None = None,
    *,
    weights: str | None = None,
    data: str | Path,
    output: str | Path | None = None,
    device: str = 'auto',
    score_thr: float = 0.3,
    every: int = 10,
) -> dict[str, Any]:
    """Run the check; returns what ``detect_real.json`` holds.

    Args:
        config, checkpoint: the detector.
        weights: or the name of shipped weights.
        data: the folder of the sources.
        output: by default a folder in work_dirs/detect_real of the checkpoint's name.
        score_thr: boxes that score less do not count.
        every: frames of a video from one that is looked at to the next.

    Raises:
        FileNotFoundError: a file is missing, or the folder has no source.
        ValueError: the network is not given in exactly one way, an argument is out of range, or a label is damaged.
        CheckpointError: the checkpoint is damaged or another network's.
    """
    network = checked_network(config, checkpoint, weights)
    if every < 1:
        raise ValueError(f'--every: expected an integer from 1 on, got {every}')
    sources, missing = find_sources(data)
    detect = init_detector(network.config, network.file, device, score_thr)
    output = Path(output or Path('work_dirs/detect_real', network.name))
    document: dict[str, Any] = dict(
        version=1,
        checkpoint=network.address,
        project_version=handkp_plugins.__version__,
        score_thr=score_thr,
        sources=[check(detect, source, output, every if source.is_video else 1) for source in sources],
        missing=missing,
    )
    write_text(output / 'detect_real.json', json.dumps(document, indent=1))
    print(table(document['sources']))
    for line in [*missing, *(f'{s["title"]}: {p}' for s in document['sources'] for p in s['problems'])]:
        print(line, file=sys.stderr)
    print(f'{output}: detect_real.json and pictures')
    return document


def check(detect: Callable[[np.ndarray], Any], source: Source, output: Path, every: int) -> dict[str, Any]:
    """Look at one source, and write its sheet; returns its entry of the JSON."""
    drawn, captions, records, loose = [], [], [], False
    for name, hands in pictures(source, every):
        loose = hands[0].placement is not None  # its box is not the hand's
        found = detect(hands[0].image)
        labels = np.stack([hand.box for hand in hands]).astype(np.float32)
        overlaps = overlap(labels, found.boxes)
        best = overlaps.max(1, initial=0)
        others = int((overlaps.max(0, initial=0) < FOUND_FROM).sum())
        records.append(dict(picture=name, iou=np.round(best, 3).tolist(), others=others))
        drawn.append(picture(hands[0].image, labels, best, found.boxes, found.scores))
        captions.append(f'{name}: {int((best >= FOUND_FROM).sum())} of {len(best)} found, {others} other boxes')
    if not records:
        raise ValueError(f'{source.title}: no picture can be read: {"; ".join(source.problems)}')
    shown = np.unique(np.linspace(0, len(drawn) - 1, NUM_FRAMES).astype(int))
    sheet = tile([drawn[i] for i in shown], 4, [captions[i] for i in shown], _CELL)
    write_image(output / f'{source.key}.jpg', sheet)
    ious = np.concatenate([record['iou'] for record in records])
    return dict(
        key=source.key,
        title=source.title,
        measures=source.measures,
        pictures=len(records),
        hands=len(ious),
        found=int((ious >= FOUND_FROM).sum()),
        mean_iou=float(ious.mean()),
        others=sum(record['others'] for record in records),
        loose=loose,
        problems=source.problems,
        records=records,
    )


def pictures(source: Source, every: int) -> Iterator[tuple[str, list[LabelledHand]]]:
    """Each picture, or every so manieth, with its labelled hands."""
    grouped = groupby(source.read(), key=lambda hand: hand.name if source.is_video else hand.name.split()[0])
    for i, (name, hands) in enumerate(grouped):
        if i % every == 0:
            yield name, list(hands)


def overlap(labels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU (L, N) of labels (L, 4) and boxes (N, 4), all (x1, y1, x2, y2)."""
    import torch

    return box_iou(torch.from_numpy(labels), torch.from_numpy(boxes).float().reshape(-1, 4)).numpy()


def picture(
    image: np.ndarray, labels: np.ndarray, best: np.ndarray, boxes: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """The picture in the size of the sheet with labels, white or red, and boxes, green with their score."""
    scale = min(_CELL[0] / image.shape[1], _CELL[1] / image.shape[0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    for box, iou in zip(labels, best, strict=True):
        _rectangle(canvas, scale * box, _WHITE if iou >= FOUND_FROM else _RED, 1)
    for box, score in zip(boxes, scores, strict=True):
        _rectangle(canvas, scale * box, _GREEN, 2)
        place = (int(scale * box[0]) + 2, max(int(scale * box[1]) - 3, 10))
        cv2.putText(canvas, f'{score:.2f}', place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _GREEN, 1, cv2.LINE_AA)
    return canvas


def _rectangle(canvas: np.ndarray, box: np.ndarray, color: tuple[int, int, int], width: int) -> None:
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    cv2.rectangle(canvas, (x1, y1), (x2, y2), color, width)


def table(sources: list[dict[str, Any]]) -> str:
    """How many hands were found, as text: a line for each source."""
    rows = [['', 'labels', 'pictures', 'hands', 'found', 'mean IoU', 'other boxes']]
    for s in sources:
        counts = [str(s[key]) for key in ('pictures', 'hands', 'found')]
        rows.append([s['title'], s['measures'], *counts, f'{s["mean_iou"]:.2f}', str(s['others'])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join('  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--weights', metavar='NAME', help='shipped weights instead of CONFIG and CHECKPOINT')
    parser.add_argument('--data', required=True, metavar='DIR')
    parser.add_argument('--output', metavar='DIR', help='default: work_dirs/detect_real/<checkpoint>')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--score-thr', type=float, default=0.3, help='(default 0.3)')
    parser.add_argument('--every', type=int, default=10, help='of videos every so manieth frame (default 10)')
    return parser.parse_args()


if __name__ == '__main__':
    run_tool(lambda: main(**vars(parse_args())))
