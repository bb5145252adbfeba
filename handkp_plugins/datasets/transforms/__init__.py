"""Transforms of the data pipeline."""

from .brightness_saturation import BrightnessSaturation
from .crop_noise import CropCenterNoise
from .loading import LoadHandImage, PackHandInputs
from .margin_crop import MarginCrop
from .turned_affine import TurnedTopdownAffine
from .whole_image import WholeImageCenterScale

__all__ = [
    'BrightnessSaturation',
    'CropCenterNoise',
    'LoadHandImage',
    'MarginCrop',
    'PackHandInputs',
    'TurnedTopdownAffine',
    'WholeImageCenterScale',
]
