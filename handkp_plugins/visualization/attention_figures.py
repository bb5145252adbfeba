"""Figures of what networks attend to: rows of images with captions."""

from collections.abc import Sequence

import cv2
import numpy as np

from handkp_plugins.structures.crops import Attention, CropPrediction, TokenAttention
from handkp_plugins.structures.skeleton import KEYPOINT_COLORS, KEYPOINT_NAMES

from .hand import draw_hand
from .heatmap import heatmap_overlay
from .sheet import tile

SIDE = 256  # pixels of the longer side of each image in a figure
_OPACITY = 0.6
Cells = list[tuple[np.ndarray, str]]


def stages_figure(found: Attention, truth: np.ndarray | None = None, all_scales: bool = False) -> np.ndarray:
    """Return a figure with the columns image, stages, prediction, truth, and a row for each scale or only the finest.

    ``found`` is of a P-MSDSNet, ``truth`` x, y and visibility in the image, [21, 3].
    """
    missing = np.full_like(found.crop, 190)
    image, *outcomes = _images(found, truth)
    rows: list[Cells] = []
    for s in range(len(found.maps[0]) if all_scales else 1):
        scale = f', scale {s + 1}' if all_scales else ''
        maps = []
        for m, stage in enumerate(found.maps):
            shown = missing if stage[s] is None else heatmap_overlay(found.crop, stage[s], _OPACITY, (0, 1))
            maps.append((shown, f'stage {m + 1}{scale}'))
        blank = (np.full_like(found.crop, 255), '')
        rows.append([image, *maps, *outcomes] if s == 0 else [blank, *maps, *[blank] * len(outcomes)])
    return _sheet(rows, found.crop)


def tokens_figure(
    found: TokenAttention,
    truth: np.ndarray | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> np.ndarray:
    """Return a figure: image, prediction and truth; then two rows for each keypoint and head, a column for each layer.

    The first row shows what the keypoint's token depends on, the second what it affects. Blue is 0, red the largest
    value of the map. Layers and heads count from 1; the default is all layers, and the mean of all heads. ``truth`` is
    x, y and visibility in the image, [21, 3].
    """
    num_layers, num_heads = found.dependency.shape[:2]
    layers = range(1, num_layers + 1) if layers is None else layers
    for name, chosen, number in (('layers', layers, num_layers), ('heads', heads or (), num_heads)):
        if not set(chosen) <= set(range(1, number + 1)):
            raise ValueError(f'{name}: expected 1 to {number}, got {list(chosen)}')
    rows: list[Cells] = [_images(found, truth)]
    for k, keypoint in enumerate(found.chosen):
        for head in heads or [None]:
            for title, maps in (('dependency', found.dependency), ('affected area', found.affected)):
                which = 'mean of heads' if head is None else f'head {head}'
                row = [(_mark(found, keypoint), f'{KEYPOINT_NAMES[keypoint]}: {title}')]
                for layer in layers:
                    of_layer = maps[layer - 1, :, k]  # (n, h, w)
                    shown = of_layer.mean(0) if head is None else of_layer[head - 1]
                    overlay = heatmap_overlay(found.crop, shown, _OPACITY, (0, float(shown.max())))
                    row.append((overlay, f'layer {layer}, {which}'))
                rows.append(row)
    return _sheet(rows, found.crop)


def _images(found: CropPrediction, truth: np.ndarray | None) -> Cells:
    """Return the crop, the predicted hand and, if known, the true one."""
    images = [(found.crop, 'image'), (draw_hand(found.crop, found.keypoints, found.scores), 'prediction')]
    if truth is not None:
        images.append((draw_hand(found.crop, found.to_crop(truth[:, :2]), truth[:, 2]), 'truth'))
    return images


def _mark(found: CropPrediction, keypoint: int) -> np.ndarray:
    """Return the crop with one predicted keypoint."""
    canvas = found.crop.copy()
    x, y = np.clip(found.keypoints[keypoint], -1e4, 1e4).round().astype(int).tolist()
    radius = max(3, max(canvas.shape) // 50)
    cv2.circle(canvas, (x, y), radius + 1, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), radius, KEYPOINT_COLORS[keypoint][::-1], -1, cv2.LINE_AA)
    return canvas


def _sheet(rows: list[Cells], crop: np.ndarray) -> np.ndarray:
    """Return rows of images with captions; shorter rows are filled with white."""
    columns = max(map(len, rows))
    blank = (np.full_like(crop, 255), '')
    cells = [cell for row in rows for cell in (*row, *[blank] * (columns - len(row)))]
    images, captions = zip(*cells, strict=True)
    h, w = crop.shape[:2]
    return tile(images, columns, captions, (round(SIDE * w / max(h, w)), round(SIDE * h / max(h, w))))
