"""Transforms of the data pipeline."""

from .loading import LoadHandImage, PackHandInputs

__all__ = ['LoadHandImage', 'PackHandInputs']
