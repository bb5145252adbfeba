"""Transforms of the data pipeline."""

from .loading import LoadHandImage, PackHandInputs
from .whole_image import WholeImageCenterScale

__all__ = ['LoadHandImage', 'PackHandInputs', 'WholeImageCenterScale']
