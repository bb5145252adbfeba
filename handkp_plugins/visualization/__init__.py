"""Figures: skeletons, contact sheets, maps over images, curves. Plain functions over OpenCV and matplotlib."""

from .bars import plot_keypoint_bars
from .confusion import plot_confusion
from .curves import plot_pck_curves
from .frame import FrameRate, draw_hands, draw_rate
from .hand import draw_hand, draw_label
from .heatmap import heatmap_overlay
from .sheet import tile
from .visualizer import HandVisualizer

__all__ = [
    'FrameRate',
    'HandVisualizer',
    'draw_hand',
    'draw_hands',
    'draw_label',
    'draw_rate',
    'heatmap_overlay',
    'plot_confusion',
    'plot_keypoint_bars',
    'plot_pck_curves',
    'tile',
]
