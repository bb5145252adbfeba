"""Codecs: keypoints → targets, and maps → keypoints."""

from .expectation import DiskMap, ExpectationHeatmap
from .gaussian_heatmap import GaussianHeatmap

__all__ = ['DiskMap', 'ExpectationHeatmap', 'GaussianHeatmap']
