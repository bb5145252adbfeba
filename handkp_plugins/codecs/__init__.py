"""Codecs: keypoints → targets, and maps → keypoints."""

from .expectation import DiskMap, ExpectationHeatmap
from .gaussian_heatmap import GaussianHeatmap
from .pixel_depth import PixelDepthLabel
from .weak_perspective import WeakPerspectiveLabel

__all__ = [
    'DiskMap',
    'ExpectationHeatmap',
    'GaussianHeatmap',
    'PixelDepthLabel',
    'WeakPerspectiveLabel',
]
