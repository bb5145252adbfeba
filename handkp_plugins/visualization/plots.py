"""A matplotlib figure off screen, without matplotlib's global state, and its file."""

from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import write_bytes


def new_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches, and its axes."""
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    return figure, figure.add_subplot()


def save_plot(figure: Figure, path: str | Path) -> None:
    """Write a figure whole or not at all; the path's suffix names the format. Its folder is made."""
    content = BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:])
    write_bytes(path, content.getvalue())
