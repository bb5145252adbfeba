"""Figures: skeletons, contact sheets, maps over images, curves. Plain functions over OpenCV and matplotlib."""

from .bars import plot_keypoint_bars
from .curves import plot_pck_curves
from .hand import draw_hand
from .heatmap import heatmap_overlay
from .sheet import tile

__all__ = ['draw_hand', 'heatmap_overlay', 'plot_keypoint_bars', 'plot_pck_curves', 'tile']
