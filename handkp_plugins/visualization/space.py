"""A hand in space as a 3D plot with matplotlib, off screen."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from handkp_plugins.structures.skeleton import BONES, KEYPOINT_COLORS

_DPI = 100


class SpacePlot:
    """Draws hands (21, 3) in a camera's axes, x right, y down, z away, in a cube about each hand.

    Args:
        width: Of the cube, in the unit of the points.
        side: Width and height of an image in pixels.
        unit: Written below the plot.
    """

    def __init__(self, width: float, side: int, unit: str = '') -> None:
        self.width = width
        figure = Figure(figsize=(side / _DPI, side / _DPI), dpi=_DPI)
        self.canvas = FigureCanvasAgg(figure)
        self.axes = figure.add_axes((0.02, 0.04, 0.92, 0.96), projection='3d')
        self.axes.set_box_aspect((1, 1, 1))
        self.axes.view_init(elev=20, azim=-60)
        self.axes.tick_params(labelsize=6, pad=-2)
        for axis, name in zip((self.axes.xaxis, self.axes.yaxis, self.axes.zaxis), 'xzy', strict=True):
            axis.set_label_text(name, fontsize=8)
            axis.labelpad = -6
        figure.text(0.02, 0.02, unit, fontsize=7)
        colors = [np.divide(KEYPOINT_COLORS[b], 255) for _, b in BONES]
        self.bones = [self.axes.plot([], [], [], color=color, linewidth=2.5)[0] for color in colors]

    def draw(self, points: np.ndarray) -> np.ndarray:
        """Draw a hand; bones with a NaN are left out. Returns BGR, uint8, [side, side, 3]."""
        points = np.asarray(points, np.float64)
        known = points[np.isfinite(points).all(1)]
        center = (known.min(0) + known.max(0)) / 2 if len(known) else np.zeros(3)
        x, y, z = zip(center - self.width / 2, center + self.width / 2, strict=True)
        self.axes.set(xlim=x, ylim=z, zlim=y[::-1])
        for line, (a, b) in zip(self.bones, BONES, strict=True):
            line.set_data_3d(*points[[a, b]][:, [0, 2, 1]].T)
        self.canvas.draw()
        return np.ascontiguousarray(np.asarray(self.canvas.buffer_rgba())[..., 2::-1])
