"""Scores as registered MMEngine metrics."""

from .acceleration import AccelerationError
from .gestures import GestureMetric
from .heatmap_pck import HeatmapPCK
from .pixel import MPJPEAtThreshold, PixelMSE, PixelPCK

__all__ = ['AccelerationError', 'GestureMetric', 'HeatmapPCK', 'MPJPEAtThreshold', 'PixelMSE', 'PixelPCK']
