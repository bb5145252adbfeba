"""Test-time augmentation: averaging over several views of an image."""

from .rotation_tta import RotationTTA

__all__ = ['RotationTTA']
