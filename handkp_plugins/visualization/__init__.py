"""Figures: skeletons, contact sheets, maps over images, curves. Plain functions over OpenCV and matplotlib."""

from .bars import plot_keypoint_bars
from .confusion import plot_confusion
from .curves import plot_pck_curves
from .hand import draw_hand, draw_label
from .heatmap import heatmap_overlay
from .sheet import tile
from .visualizer import HandVisualizer

__all__ = [
    'HandVisualizer',
    'draw_hand',
    'draw_label',
    'heatmap_overlay',
    'plot_confusion',
    'plot_keypoint_bars',
    'plot_pck_curves',
    'tile',
]
