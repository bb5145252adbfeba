"""Heads that MMPose lacks."""

from .deep_supervision_head import DeepSupervisionHead
from .on_device_heatmap_head import OnDeviceHeatmapHead

__all__ = ['DeepSupervisionHead', 'OnDeviceHeatmapHead']
