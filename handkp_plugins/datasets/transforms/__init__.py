"""Transforms of data pipelines."""

from .brightness_saturation import BrightnessSaturation
from .clips import ClipColorJitter, LoadHandClip, ResizeClip, ShiftClip
from .crop_noise import CropCenterNoise
from .loading import LoadHandImage, PackHandInputs
from .margin_crop import MarginCrop
from .turned_affine import TurnedTopdownAffine
from .whole_image import WholeImageCenterScale

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
