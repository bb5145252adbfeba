"""Spatial attention from supervised maps."""

from torch import Tensor


def spatial_attention(maps: Tensor) -> Tensor:
    """Sigmoid of the sum over channels, g in P-MSDSNet eq. 7: (B, K, h, w) → (B, 1, h, w), values in (0, 1)."""
    return maps.sum(1, keepdim=True).sigmoid()
