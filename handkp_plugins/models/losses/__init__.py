"""Losses that MMPose lacks."""

from .cel2_loss import CEL2Loss
from .softmax_heatmap_loss import SoftmaxHeatmapLoss

__all__ = ['CEL2Loss', 'SoftmaxHeatmapLoss']
