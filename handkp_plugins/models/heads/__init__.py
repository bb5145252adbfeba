"""Heads that MMPose does not have."""

from .amp_regression_head import AmpRegressionHead
from .deep_supervision_head import DeepSupervisionHead
from .hamuco_head import HaMuCoHead
from .htt_head import HTTHead
from .on_device_heatmap_head import OnDeviceHeatmapHead
from .stacked_map_head import StackedMapHead
from .upsampled_map_head import UpsampledMapHead

__all__ = [
    'AmpRegressionHead',
    'DeepSupervisionHead',
    'HTTHead',
    'HaMuCoHead',
    'OnDeviceHeatmapHead',
    'StackedMapHead',
    'UpsampledMapHead',
]
