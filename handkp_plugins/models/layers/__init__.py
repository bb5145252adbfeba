"""Small layers and functions that several networks share."""

from .attention import spatial_attention

__all__ = ['spatial_attention']
