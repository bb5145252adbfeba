"""Losses that MMPose does not have."""

from .cel2_loss import CEL2Loss
from .htt_loss import HTTLoss
from .map_bce_loss import MapBCELoss
from .softmax_heatmap_loss import SoftmaxHeatmapLoss

__all__ = ['CEL2Loss', 'HTTLoss', 'MapBCELoss', 'SoftmaxHeatmapLoss']
