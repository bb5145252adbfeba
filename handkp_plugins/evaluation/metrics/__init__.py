"""Scores as registered MMEngine metrics."""

from .acceleration import AccelerationError
from .clips import ClipActionMetric, ClipObjectMetric, HandPose3DMetric
from .gestures import GestureMetric
from .hand_boxes import HandBoxErrors
from .hand_mesh import HandMeshMetric
from .heatmap_pck import HeatmapPCK
from .pixel import MPJPEAtThreshold, PixelMSE, PixelPCK

__all__ = [
    'AccelerationError',
    'ClipActionMetric',
    'ClipObjectMetric',
    'GestureMetric',
    'HandBoxErrors',
    'HandMeshMetric',
    'HandPose3DMetric',
    'HeatmapPCK',
    'MPJPEAtThreshold',
    'PixelMSE',
    'PixelPCK',
]
