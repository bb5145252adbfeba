"""Averaging over several views of a picture."""

from .rotation_tta import RotationTTA

__all__ = ['RotationTTA']
