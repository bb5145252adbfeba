"""Whole networks that MMPose's estimators cannot hold."""

from .htt import HTT

__all__ = ['HTT']
