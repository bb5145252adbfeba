"""Data preprocessors: normalisation and augmentation of batches on the device."""

from .clip_preprocessor import ClipDataPreprocessor
from .gesture_preprocessor import GesturePreprocessor
from .hand_compositor import HandCompositor

__all__ = ['ClipDataPreprocessor', 'GesturePreprocessor', 'HandCompositor']
