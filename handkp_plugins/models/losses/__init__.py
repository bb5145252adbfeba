"""Losses that MMPose lacks."""

from .softmax_heatmap_loss import SoftmaxHeatmapLoss

__all__ = ['SoftmaxHeatmapLoss']
