"""Networks that recognise gestures from keypoints."""

from .gesture_net import GestureNet

__all__ = ['GestureNet']
