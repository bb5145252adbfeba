"""Losses that MMPose does not have."""

from .hamuco_loss import HaMuCoLoss
from .htt_loss import HTTLoss
from .map_losses import CEL2Loss, MapBCELoss, SoftmaxHeatmapLoss

__all__ = [
    'CEL2Loss',
    'HTTLoss',
    'HaMuCoLoss',
    'MapBCELoss',
    'SoftmaxHeatmapLoss',
]
