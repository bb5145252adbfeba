"""The figure of a measurement of finger tapping."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from handkp_plugins.visualization.plots import new_rows, save_plot

from .measure import Tapping

_WIDTH, _HEIGHT = 11.7, 8.3  # inches, A4 landscape
_GREY, _BLUE, _RED, _ORANGE = '0.55', 'tab:blue', 'tab:red', 'tab:orange'


def plot_tapping(tapping: Tapping, path: str | Path, title: str, note: str) -> None:
    """Write a figure: the tips' distance with the taps marked, the frequency over time, the amplitude of each tap.

    The suffix of the path names the format (``.png``, ``.pdf``, …); its folder is made. The note stands below.
    """
    figure, (distance, frequency, amplitude) = new_rows(_WIDTH, _HEIGHT, (3, 2, 2))
    _plot_distance(distance, tapping)
    _plot_frequency(frequency, tapping)
    _plot_amplitude(amplitude, tapping)
    for axes in (distance, frequency, amplitude):
        axes.set_xlim(tapping.time[0], tapping.time[-1])
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc='upper right', fontsize=8, ncols=4)
    amplitude.set_xlabel('time (s)')
    figure.suptitle(title, fontsize=12)
    figure.supxlabel(note, fontsize=8, color=_GREY)
    save_plot(figure, path)


def _plot_distance(axes: Axes, tapping: Tapping) -> None:
    axes.plot(tapping.time, tapping.distance, '.', color=_GREY, markersize=3, label='frames')
    for i, piece in enumerate(tapping.pieces):
        axes.plot(piece.time, piece.distance, color=_BLUE, linewidth=1, label='smoothed' if i == 0 else None)
    for i, gap in enumerate([gap for gap in tapping.gaps if not gap.bridged]):
        axes.axvspan(gap.start, gap.end, color=_ORANGE, alpha=0.25, label='gap' if i == 0 else None)
    if tapping.taps:
        axes.plot(*_values(tapping, 'distance'), 'v', color=_RED, markersize=5, label='taps')
    for i, tap in enumerate(tapping.hesitations):
        span = (tap.time - tap.interval, tap.time)
        axes.axvspan(*span, color=_RED, alpha=0.1, label='hesitations' if i == 0 else None)
    if tapping.reason:
        axes.text(0.5, 0.92, tapping.reason, transform=axes.transAxes, ha='center', color=_RED, fontsize=9)
    axes.set(ylabel='tip distance\n(hand sizes)')
    top = np.nanmax(tapping.distance) if np.isfinite(tapping.distance).any() else 1.0
    axes.set_ylim(0, 1.25 * max(top, 0.1))


def _plot_frequency(axes: Axes, tapping: Tapping) -> None:
    axes.set(ylabel='frequency\n(taps/s)')
    if tapping.frequency is None:
        axes.text(0.5, 0.5, 'no frequency', transform=axes.transAxes, ha='center', color=_GREY)
        return
    time, single = _values(tapping, 'frequency')
    middle = time - 0.5 / single
    axes.plot(middle, single, '.', color=_GREY, label='1 / interval')
    axes.plot(middle, _values(tapping, 'smoothed_frequency')[1], color=_BLUE, label='mean of five intervals')
    axes.axhline(tapping.frequency, color=_RED, linestyle='--', linewidth=1, label=f'mean: {tapping.frequency:.2f}')
    axes.set_ylim(0, 1.3 * single.max())


def _plot_amplitude(axes: Axes, tapping: Tapping) -> None:
    axes.set(ylabel='amplitude\n(hand sizes)')
    if not tapping.taps:
        return
    time, height = _values(tapping, 'amplitude')
    axes.plot(time, height, '.-', color=_BLUE, linewidth=0.7, label='each tap')
    if tapping.decrement is not None:
        line = tapping.amplitude_fit
        axes.plot(time, line, '--', color=_RED, linewidth=1, label=f'decrement: {tapping.decrement:.0%}')
    axes.set_ylim(0, 1.3 * height.max())


def _values(tapping: Tapping, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the times of the taps that have a value, and the values."""
    known = [(tap.time, value) for tap in tapping.taps if (value := getattr(tap, name)) is not None]
    time, value = np.array(known).T
    return time, value
