"""Backbones that MMPose lacks."""

from .hrnet import TruncatedHRNet
from .pmsdsnet import PMSDSNet
from .pose_estimation_net import PoseEstimationNet
from .resnet import SizeCheckedResNet

__all__ = ['PMSDSNet', 'PoseEstimationNet', 'SizeCheckedResNet', 'TruncatedHRNet']
