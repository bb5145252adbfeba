"""Figures of a check against labels: predictions beside labels, and how a video went frame by frame."""

from pathlib import Path

import cv2
import numpy as np

from .hand import draw_hand
from .plots import new_plot, save_plot


def beside_label(
    image: np.ndarray,
    box: np.ndarray,
    predicted: np.ndarray,
    label: np.ndarray,
    labelled: np.ndarray,
    size: int = 224,
    margin: float = 1.5,
) -> np.ndarray:
    """A hand cut out twice, ``margin`` times the longer side of its box: left the prediction, right the label.

    Args:
        image: BGR, uint8, [H, W, 3].
        box: (x1, y1, x2, y2) in pixels.
        predicted, label: [21, 2] in pixels; where not ``labelled`` [21], no label is drawn.
        size: width and height of each half.

    Returns:
        BGR, uint8, [size, 2·size, 3]; grey outside the image.
    """
    center, side = (box[:2] + box[2:]) / 2, margin * (box[2:] - box[:2]).max()
    scale = size / side
    warp = np.column_stack([scale * np.eye(2), size / 2 - scale * center])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(image, warp, (size, size), flags=interpolation, borderValue=(128, 128, 128))
    halves = []
    for points, shown in ((predicted, np.isfinite(predicted).all(1)), (label, labelled)):
        placed = np.nan_to_num((points - center) * scale + size / 2)
        halves.append(draw_hand(crop, placed, np.asarray(shown, float)))
    return np.hstack(halves)


def plot_frames(path: str | Path, frames: np.ndarray, errors: np.ndarray, title: str, wrong: float) -> None:
    """Write a picture of each frame's mean error.

    Args:
        frames: indices, [F], in rising order; a gap in them is a gap in the curve.
        errors: mean error of each frame in pixels of a crop of 256, [F].
        wrong: the error from which a keypoint counts as wrong, drawn as a line.
    """
    index = np.arange(frames.min(), frames.max() + 1)
    curve = np.full(len(index), np.nan)
    curve[frames - frames.min()] = errors
    figure, axes = new_plot(10, 3)
    axes.plot(index, curve, linewidth=1)
    axes.axhline(wrong, color='grey', linestyle='--', linewidth=1, label='0.1 of the box')
    axes.set(xlabel='frame', ylabel='mean error (px of 256)', title=title, ylim=(0, None), xlim=(index[0], index[-1]))
    axes.grid(alpha=0.3)
    axes.legend(loc='upper right')
    save_plot(figure, path)
