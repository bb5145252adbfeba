"""Plots of scores with matplotlib, off screen. The suffix of a path names the file's format (``.png``, ``.svg``, …)."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from handkp_plugins.fileio.atomic import write_bytes


def new_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches, and its axes."""
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    return figure, figure.add_subplot()


def new_rows(width: float, height: float, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Return a figure of this size in inches, and axes below each other with these relative heights and one x axis."""
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    return figure, list(figure.subplots(len(heights), sharex=True, height_ratios=heights))


def save_plot(figure: Figure, path: str | Path) -> None:
    """Write a figure, all of it or nothing; creates the folder."""
    content = BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:])
    write_bytes(path, content.getvalue())


def plot_keypoint_bars(names: Sequence[str], shares: np.ndarray, path: str | Path, title: str) -> None:
    """Plot the share (K,), 0 to 1, of each of K keypoints as a bar, their mean as a dashed line, and NaN as a dash."""
    shares = np.asarray(shares, dtype=float)
    if not len(names) or shares.shape != (len(names),):
        raise ValueError(f'shares: expected one for each of the {len(names)} names, 1 or more, got {shares.shape}')
    known = ~np.isnan(shares)
    if not ((shares[known] >= 0) & (shares[known] <= 1)).all():
        raise ValueError(f'shares: expected numbers from 0 to 1, got {shares.tolist()}')

    figure, axes = new_plot(2 + 0.4 * len(names), 4)
    bars = axes.bar(range(len(names)), np.nan_to_num(shares))
    axes.bar_label(bars, [f'{v:.2f}' if k else '–' for v, k in zip(shares, known, strict=True)], fontsize=7)
    if known.any():
        mean = shares[known].mean()
        axes.axhline(mean, color='grey', linestyle='--', linewidth=1)
        title = f'{title}, mean {mean:.3f}'
    axes.set_xticks(range(len(names)), names, rotation=60, ha='right', fontsize=8)
    axes.set(ylabel='share correct', title=title, ylim=(0, 1.08))
    save_plot(figure, path)


def plot_pck_curves(
    curves: Mapping[str, np.ndarray],
    path: str | Path,
    thresholds: np.ndarray | None = None,
    title: str = 'Share of correct keypoints',
    unit: str = 'px',
) -> None:
    """Plot PCK (T,), 0 to 1, of each name over thresholds (T,) in a unit, 1, 2, …, T by default."""
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
    axes.set(xlabel=f'distance ({unit})', ylabel='PCK', title=title, ylim=(0, 1.02), xlim=(0, max(thresholds)))
    axes.grid(alpha=0.3)
    axes.legend(loc='lower right')
    save_plot(figure, path)


def plot_confusion(names: Sequence[str], counts: np.ndarray, path: str | Path) -> None:
    """Plot a confusion matrix (C, C) with the true classes in its rows: shares as colours, counts as numbers."""
    counts = np.asarray(counts)
    if counts.shape != (len(names), len(names)) or not len(names):
        raise ValueError(f'counts: expected ({len(names)}, {len(names)}), a class or more, got {counts.shape}')
    side = 2.5 + 0.45 * len(names)
    figure, axes = new_plot(side, side)
    display = ConfusionMatrixDisplay(counts / np.maximum(counts.sum(1, keepdims=True), 1), display_labels=names)
    display.plot(ax=axes, cmap='Blues', colorbar=False, im_kw=dict(vmin=0, vmax=1), text_kw=dict(fontsize=8))
    for text, count in zip(display.text_.flat, counts.flat, strict=True):
        text.set_text(str(count) if count else '')
    axes.set_xticks(range(len(names)), names, rotation=60, ha='right')
    axes.tick_params(labelsize=8)
    axes.set(xlabel='recognised', ylabel='true')
    save_plot(figure, path)


def plot_frame_errors(frames: np.ndarray, errors: np.ndarray, path: str | Path, title: str, wrong: float) -> None:
    """Plot the mean error (F,) of the frames of a video in pixels of a 256 px crop.

    A gap in the ascending indices ``frames`` (F,) is a gap in the curve. A line marks the error ``wrong``, from which a
    keypoint counts as wrong.
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
