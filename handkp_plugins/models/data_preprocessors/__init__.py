"""Data preprocessors: normalisation and augmentation of batches on the device."""

from .gesture_preprocessor import GesturePreprocessor
from .hand_compositor import HandCompositor

__all__ = ['GesturePreprocessor', 'HandCompositor']
