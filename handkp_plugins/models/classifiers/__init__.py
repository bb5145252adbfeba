"""Networks that read signs from keypoints."""

from .gesture_net import GestureNet

__all__ = ['GestureNet']
