"""Convolutions over the graph of a hand's joints, whose edges are learned."""

import torch
from torch import Tensor, nn


class AdaptiveGraphConv(nn.Module):
    """A linear layer on joints that are mixed first by a learned matrix (HaMuCo; its code).

    The matrix starts as the identity, and its rows are divided by their sums.

    Letters: N graphs, J joints, C channels.

    Args:
        in_channels, out_channels: C before and after.
        num_joints: J.
    """

    def __init__(self, in_channels: int, out_channels: int, num_joints: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(torch.eye(num_joints))
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, J, C) → (N, J, C')."""
        rows = self.adjacency / (self.adjacency.sum(1, keepdim=True) + 1e-5)
        return self.linear(rows @ x)


class GraphBlock(nn.Sequential):
    """Layer norm and two graph convolutions with LeakyReLU; dropout between them. (N, J, C) → (N, J, C')."""

    def __init__(self, in_channels: int, out_channels: int, num_joints: int, dropout: float = 0.1) -> None:
        super().__init__(
            nn.LayerNorm(in_channels),
            AdaptiveGraphConv(in_channels, in_channels, num_joints),
            nn.LeakyReLU(),
            nn.Dropout(dropout),
            AdaptiveGraphConv(in_channels, out_channels, num_joints),
            nn.LeakyReLU(),
        )
