"""Bar charts of scores, drawn with matplotlib off screen and without its global state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .plots import new_plot, save_plot


def plot_keypoint_bars(names: Sequence[str], shares: np.ndarray, path: str | Path, title: str) -> None:
    """Write a picture with a bar, and its number, for each keypoint, and a dashed line at their mean.

    Args:
        names: of the keypoints, K.
        shares: from 0 to 1, (K,); NaN for a keypoint without a score, which is marked by a dash.
        path: the picture to write; its suffix names the format (``.png``, ``.svg``, …). Its folder is made.

    Raises:
        ValueError: there are no keypoints, the numbers of names and shares differ, or a share is outside 0 to 1.
    """
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
