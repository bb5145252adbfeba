"""Hooks that configs may name."""

from .non_finite_loss import NonFiniteLossHook

__all__ = ['NonFiniteLossHook']
