"""What attention adds for how far apart two positions of a map are."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RelativePositionBias(nn.Module):
    """A learned bias for each head and each distance in rows, plus one for each distance in columns.

    Args:
        num_heads: n.
        window: [W, H] of the map for which it is learned; for others the distances are stretched.
    """

    def __init__(self, num_heads: int, window: tuple[int, int]) -> None:
        super().__init__()
        if len(window) != 2 or min(window) < 1:
            raise ValueError(f'window: expected [W, H] of two positive integers, got {window}')
        self.columns = nn.Parameter(torch.zeros(num_heads, 2 * window[0] - 1))
        self.rows = nn.Parameter(torch.zeros(num_heads, 2 * window[1] - 1))

    def forward(self, height: int, width: int) -> Tensor:
        """Bias (n, h·w, h·w) of a map: entry i, j is added where position i looks at position j."""
        rows, columns = _of_pairs(self.rows, height), _of_pairs(self.columns, width)  # (n, h, h), (n, w, w)
        both = rows[:, :, None, :, None] + columns[:, None, :, None, :]  # (n, h, w, h, w)
        return both.flatten(3).flatten(1, 2)


def _of_pairs(table: Tensor, length: int) -> Tensor:
    """A table (n, 2m - 1) by distance → (n, length, length) by pair, its distances stretched from m to ``length``."""
    distances = 2 * length - 1
    if table.shape[1] != distances:
        table = F.interpolate(table[None], size=distances, mode='linear', align_corners=True)[0]
    place = torch.arange(length, device=table.device)
    return table[:, place[None] - place[:, None] + length - 1]
