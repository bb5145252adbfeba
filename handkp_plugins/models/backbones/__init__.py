"""Backbones that MMPose lacks."""

from .hrnet import TruncatedHRNet
from .pmsdsnet import PMSDSNet
from .resnet import SizeCheckedResNet

__all__ = ['PMSDSNet', 'SizeCheckedResNet', 'TruncatedHRNet']
