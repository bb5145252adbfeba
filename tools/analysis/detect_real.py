"""Check on real images and videos, which it was not trained on, whether a detector finds the hands.

Examples:
    python tools/analysis/detect_real.py --weights hand_detector --data data/real
    python tools/analysis/detect_real.py configs/hand_detection/rtmdet_nano_320_scenes.py \
        work_dirs/rtmdet_nano_320_scenes/epoch_12.pth --data data/real --score-thr 0.4

data/README.md describes the folder; missing parts are named and skipped. A labelled hand is found if a detected box has
an IoU of 0.5 or more with the label's box. The sets draw their boxes by different rules, from tight around the
keypoints (Panoptic) to 1.36 times as large (FreiHAND). Other boxes may be false, or hands without a label: see the
images. Of a video every tenth frame is used (--every). The label of the retargeting video is one box that holds the
hand in every frame: a closed hand fills less than half of it and never counts as found.

The output folder holds detect_real.json, and for each source a sheet of its images (48 at most): detected boxes in
green with their score, labels of found hands in white, of missed hands in red.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from real_images import LabelledHand, Source, check_sources, find_sources, parse_arguments

from handkp_plugins.apis.detection import init_detector
from handkp_plugins.apis.networks import find_network
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.images import write_image
from handkp_plugins.structures.boxes import box_iou
from handkp_plugins.visualization import tile
from handkp_plugins.visualization.report import format_table

IOU_THRESHOLD = 0.5
MAX_IMAGES = 48
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
    """Run the check with the arguments of the command line; return the content of ``detect_real.json``.

    Raises:
        FileNotFoundError: A file is missing, or the folder has no source.
        ValueError: The network is not named in exactly one way, an argument is out of range, or a label is damaged.
        CheckpointError: The checkpoint is damaged or belongs to another network.
    """
    network = find_network(config, checkpoint, weights=weights)
    if every < 1:
        raise ValueError(f'--every: expected an integer from 1 on, got {every}')
    sources = find_sources(data)
    detect = init_detector(network.config, network.file, device, score_thr)
    facts = dict(score_thr=score_thr)
    return check_sources('detect_real', network, sources, output, partial(check, detect, every), table, facts)


def check(detect: Callable[[np.ndarray], Any], every: int, source: Source, output: Path) -> dict[str, Any] | None:
    """Run the detector on one source and write its sheet; return its scores, or None if nothing can be read."""
    drawn, captions, records, loose = [], [], [], False
    for name, hands in group_by_image(source, every):
        loose = hands[0].placement is not None  # the box is larger than the hand
        found = detect(hands[0].image)
        labels = np.stack([hand.box for hand in hands]).astype(np.float32)
        overlaps = box_iou(labels, found.boxes)
        best = overlaps.max(1, initial=0)
        others = int((overlaps.max(0, initial=0) < IOU_THRESHOLD).sum())
        records.append(dict(image=name, iou=np.round(best, 3).tolist(), others=others))
        drawn.append(draw_boxes(hands[0].image, labels, best, found.boxes, found.scores))
        captions.append(f'{name}: {int((best >= IOU_THRESHOLD).sum())} of {len(best)} found, {others} other boxes')
    if not records:
        return None
    shown = np.unique(np.linspace(0, len(drawn) - 1, MAX_IMAGES).astype(int))
    sheet = tile([drawn[i] for i in shown], 4, [captions[i] for i in shown], _CELL)
    write_image(output / f'{source.key}.jpg', sheet)
    ious = np.concatenate([record['iou'] for record in records])
    return dict(
        images=len(records),
        hands=len(ious),
        found=int((ious >= IOU_THRESHOLD).sum()),
        mean_iou=float(ious.mean()),
        others=sum(record['others'] for record in records),
        loose=loose,
        records=records,
    )


def group_by_image(source: Source, every: int) -> Iterator[tuple[str, list[LabelledHand]]]:
    """Yield each image, or every N-th frame of a video, with its labelled hands."""
    groups = groupby(source.read(), key=lambda hand: hand.name if source.is_video else hand.name.split()[0])
    for i, (name, hands) in enumerate(groups):
        if i % every == 0 or not source.is_video:
            yield name, list(hands)


def draw_boxes(
    image: np.ndarray, labels: np.ndarray, best: np.ndarray, boxes: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Resize an image to a cell of the sheet and draw labels, white or red, and boxes, green with their score."""
    scale = min(_CELL[0] / image.shape[1], _CELL[1] / image.shape[0])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    for box, iou in zip(labels, best, strict=True):
        _draw_box(canvas, scale * box, _WHITE if iou >= IOU_THRESHOLD else _RED, 1)
    for box, score in zip(boxes, scores, strict=True):
        _draw_box(canvas, scale * box, _GREEN, 2)
        place = (int(scale * box[0]) + 2, max(int(scale * box[1]) - 3, 10))
        cv2.putText(canvas, f'{score:.2f}', place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _GREEN, 1, cv2.LINE_AA)
    return canvas


def _draw_box(canvas: np.ndarray, box: np.ndarray, color: tuple[int, int, int], width: int) -> None:
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    cv2.rectangle(canvas, (x1, y1), (x2, y2), color, width)


def table(sources: list[dict[str, Any]]) -> str:
    """Return the scores as text: a line for each source."""
    rows = [['', 'labels', 'images', 'hands', 'found', 'mean IoU', 'other boxes']]
    for s in sources:
        counts = [str(s[key]) for key in ('images', 'hands', 'found')]
        rows.append([s['title'], s['measures'], *counts, f'{s["mean_iou"]:.2f}', str(s['others'])])
    return format_table(rows, 2)


if __name__ == '__main__':
    arguments = parse_arguments(
        __doc__,
        ('--score-thr', dict(type=float, default=0.3, help='(default %(default)s)')),
        ('--every', dict(type=int, default=10, help='use every N-th frame of videos (default %(default)s)')),
    )
    run_tool(lambda: main(**arguments))
