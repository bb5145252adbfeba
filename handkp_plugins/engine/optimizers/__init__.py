"""Optimizers and their wrappers."""

from .amp import HandAmpOptimWrapper
from .muon import MuonAdamW

__all__ = ['HandAmpOptimWrapper', 'MuonAdamW']
