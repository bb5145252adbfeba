"""A hand in space as a 3D plot with matplotlib, off screen."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from handkp_plugins.structures.skeleton import BONES, KEYPOINT_COLORS

_DPI = 100


class SpacePlot:
    """Draws hands (21, 3) in a camera's axes, x right, y down, z away, in one cube from image to image.

    Args:
        center: Of the cube, (3,).
        width: Of the cube, in the unit of the points.
        side: Width and height of an image in pixels.
        unit: For the axes.
    """

    def __init__(self, center: np.ndarray, width: float, side: int, unit: str = '') -> None:
        self.limits = [(c - width / 2, c + width / 2) for c in center]
        self.unit = unit
        self.figure = Figure(figsize=(side / _DPI, side / _DPI), dpi=_DPI)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), projection='3d')

    def draw(self, points: np.ndarray) -> np.ndarray:
        """Draw a hand; bones with a NaN are left out. Returns BGR, uint8, [side, side, 3]."""
        axes = self.axes
        axes.clear()
        x, y, z = self.limits
        axes.set(xlim=x, ylim=z, zlim=y[::-1], xlabel=f'x ({self.unit})', ylabel='z', zlabel='y')
        axes.set_box_aspect((1, 1, 1))
        axes.view_init(elev=20, azim=-60)
        axes.tick_params(labelsize=6, pad=0)
        for a, b in BONES:
            pair = np.asarray(points)[[a, b]]
            if np.isfinite(pair).all():
                axes.plot(pair[:, 0], pair[:, 2], pair[:, 1], color=np.divide(KEYPOINT_COLORS[b], 255), linewidth=2.5)
        self.canvas.draw()
        return np.ascontiguousarray(np.asarray(self.canvas.buffer_rgba())[..., 2::-1])
