"""Necks that MMPose lacks."""

from .transformer_neck import TransformerNeck

__all__ = ['TransformerNeck']
