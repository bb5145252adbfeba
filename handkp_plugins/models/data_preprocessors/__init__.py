"""What happens to a batch before the network, on its device."""

from .hand_compositor import HandCompositor

__all__ = ['HandCompositor']
