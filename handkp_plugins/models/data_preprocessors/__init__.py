"""What happens to a batch before the network, on its device."""

from .gesture_preprocessor import GesturePreprocessor
from .hand_compositor import HandCompositor

__all__ = ['GesturePreprocessor', 'HandCompositor']
