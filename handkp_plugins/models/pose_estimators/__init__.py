"""Pose estimators that MMPose does not have."""

from .htt import HTT

__all__ = ['HTT']
