"""Scores: plain functions, and MMEngine metrics over them."""

from .acceleration import AccelerationError
from .gestures import GestureMetric
from .heatmap_pck import HeatmapPCK
from .metrics import MPJPEAtThreshold, PixelMSE, PixelPCK

__all__ = ['AccelerationError', 'GestureMetric', 'HeatmapPCK', 'MPJPEAtThreshold', 'PixelMSE', 'PixelPCK']
