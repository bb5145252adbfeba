"""Skeletons, heatmaps and image grids with OpenCV, plots with matplotlib: plain functions."""

from .hand import draw_hand, draw_hands, draw_hands_3d, draw_label
from .heatmap import heatmap_overlay
from .plots import plot_confusion, plot_keypoint_bars, plot_pck_curves
from .sheet import tile
from .video import FrameRate, VideoFile, Window, draw_rate
from .visualizer import HandVisualizer

__all__ = [
    'FrameRate',
    'HandVisualizer',
    'VideoFile',
    'Window',
    'draw_hand',
    'draw_hands',
    'draw_hands_3d',
    'draw_label',
    'draw_rate',
    'heatmap_overlay',
    'plot_confusion',
    'plot_keypoint_bars',
    'plot_pck_curves',
    'tile',
]
