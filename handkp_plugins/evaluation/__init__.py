"""Scores: plain functions, and MMEngine metrics over them."""

from .metrics import MPJPEAtThreshold, PixelPCK

__all__ = ['MPJPEAtThreshold', 'PixelPCK']
