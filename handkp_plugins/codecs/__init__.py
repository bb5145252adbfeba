"""Codecs: keypoints to targets and maps back to keypoints."""

from .gaussian_heatmap import GaussianHeatmap

__all__ = ['GaussianHeatmap']
