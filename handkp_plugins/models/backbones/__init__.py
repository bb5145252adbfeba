"""Backbones that MMPose lacks."""

from .pmsdsnet import PMSDSNet

__all__ = ['PMSDSNet']
