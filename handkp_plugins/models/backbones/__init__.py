"""Backbones that MMPose does not have."""

from .hrnet import TruncatedHRNet
from .pmsdsnet import PMSDSNet
from .pose_estimation_net import PoseEstimationNet

__all__ = ['PMSDSNet', 'PoseEstimationNet', 'TruncatedHRNet']
