"""Curves of scores, drawn with matplotlib off screen and without its global state."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .plots import new_plot, save_plot


def plot_pck_curves(
    curves: Mapping[str, np.ndarray],
    path: str | Path,
    thresholds: np.ndarray | None = None,
    title: str = 'Share of correct keypoints',
) -> None:
    """Write a picture of PCK over the distance that still counts as correct.

    Args:
        curves: name → PCK as shares from 0 to 1, [T] each.
        path: the picture to write; its suffix names the format (``.png``, ``.svg``, …).
        thresholds: distances in pixels, [T]; by default 1, 2, …, T.

    Raises:
        ValueError: there are no curves, their lengths differ from that of the thresholds, or a value is outside 0 to 1.
    """
    if not curves:
        raise ValueError('curves: expected at least one, got none')
    values = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    if thresholds is None:
        thresholds = np.arange(1, len(next(iter(values.values()))) + 1)
    for name, curve in values.items():
        if curve.shape != np.shape(thresholds):
            raise ValueError(f'curves: expected {np.shape(thresholds)} values, got {curve.shape} for {name!r}')
        if not ((curve >= 0) & (curve <= 1)).all():
            raise ValueError(f'curves: expected shares from 0 to 1, got {curve.tolist()} for {name!r}')

    figure, axes = new_plot(6, 4)
    for name, curve in values.items():
        axes.plot(thresholds, curve, label=name)
    axes.set(xlabel='distance (px)', ylabel='PCK', title=title, ylim=(0, 1.02), xlim=(0, max(thresholds)))
    axes.grid(alpha=0.3)
    axes.legend(loc='lower right')
    save_plot(figure, path)
