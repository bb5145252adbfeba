"""A matplotlib figure off screen, without matplotlib's global state, and its file."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handkp_plugins.fileio.atomic import write_bytes


def new_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches, and its axes."""
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    return figure, figure.add_subplot()


def new_rows(width: float, height: float, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches, and axes below each other, of heights in proportion, that share their x."""
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    return figure, list(figure.subplots(len(heights), sharex=True, height_ratios=heights))


def save_plot(figure: Figure, path: str | Path) -> None:
    """Write a figure whole or not at all; the path's suffix names the format. Its folder is made."""
    content = BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:])
    write_bytes(path, content.getvalue())
