"""Transforms of the data pipeline."""

from .crop_noise import CropCenterNoise
from .loading import LoadHandImage, PackHandInputs
from .whole_image import WholeImageCenterScale

__all__ = ['CropCenterNoise', 'LoadHandImage', 'PackHandInputs', 'WholeImageCenterScale']
