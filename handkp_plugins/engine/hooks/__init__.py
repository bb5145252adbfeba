"""Hooks for configs."""

from .non_finite_loss import NonFiniteLossHook
from .same_classes import SameClassesHook
from .unreadable_images import UnreadableImageHook

__all__ = ['NonFiniteLossHook', 'SameClassesHook', 'UnreadableImageHook']
