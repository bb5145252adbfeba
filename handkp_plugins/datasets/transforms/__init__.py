"""Transforms of data pipelines."""

from .brightness_saturation import BrightnessSaturation
from .clips import ClipColorJitter, LoadHandClip, ResizeClip, ShiftClip
from .crop_boxes import CropCenterNoise, MarginCrop, WholeImageCenterScale
from .loading import LoadHandImage, PackHandInputs
from .turned_affine import TurnedTopdownAffine

__all__ = [
    'BrightnessSaturation',
    'ClipColorJitter',
    'CropCenterNoise',
    'LoadHandClip',
    'LoadHandImage',
    'MarginCrop',
    'PackHandInputs',
    'ResizeClip',
    'ShiftClip',
    'TurnedTopdownAffine',
    'WholeImageCenterScale',
]
