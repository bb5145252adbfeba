"""Confusion matrices as pictures, drawn with matplotlib off screen and without its global state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .plots import new_plot, save_plot

_DARK = 0.5  # share from which on a cell's number is white


def plot_confusion(names: Sequence[str], counts: np.ndarray, path: str | Path) -> None:
    """Draw how often each class was taken for which: shares of the true class as colour, counts as numbers.

    Args:
        names: of the C classes.
        counts: (C, C), rows the true class.
        path: the picture to write; its suffix names the format (``.png``, ``.svg``, …). Its folder is made.
    """
    counts = np.asarray(counts)
    if counts.shape != (len(names), len(names)) or not len(names):
        raise ValueError(f'counts: expected ({len(names)}, {len(names)}), a class or more, got {counts.shape}')
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.5 + 0.45 * len(names)
    figure, axes = new_plot(side, side)
    axes.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = 'white' if shares[row, column] > _DARK else 'black'
            axes.text(column, row, str(count), ha='center', va='center', fontsize=8, color=color)
    axes.set_xticks(range(len(names)), names, rotation=60, ha='right', fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel='recognised', ylabel='true')
    save_plot(figure, path)
