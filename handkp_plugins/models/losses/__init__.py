"""Losses that MMPose does not have."""

from .htt_loss import HTTLoss
from .map_losses import CEL2Loss, MapBCELoss, SoftmaxHeatmapLoss

__all__ = ['CEL2Loss', 'HTTLoss', 'MapBCELoss', 'SoftmaxHeatmapLoss']
