"""Necks that MMPose does not have."""

from .transformer_neck import TransformerNeck

__all__ = ['TransformerNeck']
