"""Attention over the positions of a map: from supervised maps, and multi-head self-attention."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TILES = getattr(torch.cpu, '_is_amx_tile_supported', lambda: False)()  # no public name yet
"""Whether this CPU has AMX, which torch's fast bfloat16 kernel then uses."""


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens with torch's fast kernels (Vaswani et al., 2017, section 3.2).

    MMCV's ``MultiheadAttention``, which MMPose's ``DetrTransformerEncoder`` uses, cannot use these kernels, because it
    requests the attention weights in every call.

    Letters: B batch, L tokens, d (``embed_dims``) channels, n (``num_heads``) heads, a divisor of d. Dropout is that of
    the attention weights.
    """

    def __init__(self, embed_dims: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.query_key = nn.Linear(embed_dims, 2 * embed_dims)
        self.value = nn.Linear(embed_dims, embed_dims)
        self.output = nn.Linear(embed_dims, embed_dims)

    def forward(
        self, tokens: Tensor, position: Tensor | None, bias: Tensor | None = None, padding: Tensor | None = None
    ) -> Tensor:
        """Tokens (B, L, d) → (B, L, d).

        Args:
            position: Position code (1, L, d), added to queries and keys only.
            bias: (n, L, L), added to the products of queries and keys.
            padding: (B, L), true for tokens that no token attends to. Each row needs a false one.
        """
        query, key = self._query_key(tokens, position)
        value = self.value(tokens).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, n, L, d/n)
        mask = None if bias is None else bias.to(query.dtype)[None]  # a fast kernel needs four dimensions
        if padding is not None:
            hidden = padding[:, None, None]  # (B, 1, 1, L)
            mask = ~hidden if mask is None else mask.masked_fill(hidden, float('-inf'))
        mixed = _attend(query, key, value, self.dropout if self.training else 0.0, mask)  # (B, n, L, d/n)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def weights(self, tokens: Tensor, position: Tensor | None) -> Tensor:
        """Return the attention weights (B, n, L, L) of :meth:`forward` without bias and padding; row i is what
        token i takes."""
        query, key = self._query_key(tokens, position)
        return _weights(_scaled(query.float()), key.float())

    def _query_key(self, tokens: Tensor, position: Tensor | None) -> tuple[Tensor, Tensor]:
        located = tokens if position is None else tokens + position
        both = self.query_key(located).unflatten(-1, (2, self.num_heads, -1))  # (B, L, 2, n, d/n)
        query, key = both.permute(2, 0, 3, 1, 4)  # each (B, n, L, d/n)
        return query, key


def _scaled(query: Tensor) -> Tensor:
    return query * query.shape[-1] ** -0.5


def _weights(query: Tensor, key: Tensor) -> Tensor:
    """Scaled queries and keys (…, L, e) → softmax(QKᵀ) (…, L, L)."""
    return (query @ key.mT).softmax(-1)


def _attend(query: Tensor, key: Tensor, value: Tensor, dropout: float, mask: Tensor | None) -> Tensor:
    """Return values (B, n, L, e) mixed by the weights of queries and keys; the mask is torch's."""
    in_tiles = _TILES and not query.requires_grad
    fused = not dropout and (query.dtype != torch.bfloat16 or in_tiles)
    if query.device.type != 'cpu' or mask is not None or fused:
        return F.scaled_dot_product_attention(query, key, value, mask, dropout)
    # On a CPU torch has no kernel with dropout; its bfloat16 kernels compute in float32 without AMX, and are slow
    # backward with it. In these three cases products of one head at a time, whose weights stay in the cache, are
    # faster.
    heads = zip(*(x.flatten(0, 1).contiguous() for x in (_scaled(query), key, value)), strict=True)
    return torch.stack([F.dropout(_weights(q, k), dropout) @ v for q, k, v in heads]).view_as(query)


class RelativePositionBias(nn.Module):
    """A learned attention bias for each of n heads: one for each distance in rows plus one for each in columns.

    It is learned for a map of size [W, H], the ``window``, and resized to other maps of size w, h.
    """

    def __init__(self, num_heads: int, window: tuple[int, int]) -> None:
        super().__init__()
        if len(window) != 2 or min(window) < 1:
            raise ValueError(f'window: expected [W, H] of two positive integers, got {window}')
        self.columns = nn.Parameter(torch.zeros(num_heads, 2 * window[0] - 1))
        self.rows = nn.Parameter(torch.zeros(num_heads, 2 * window[1] - 1))

    def forward(self, height: int, width: int) -> Tensor:
        """Return the bias (n, h·w, h·w) of a map; entry i, j is for the query at position i and the key at j."""
        rows, columns = _by_pair(self.rows, height), _by_pair(self.columns, width)  # (n, h, h), (n, w, w)
        both = rows[:, :, None, :, None] + columns[:, None, :, None, :]  # (n, h, w, h, w)
        return both.flatten(3).flatten(1, 2)


def _by_pair(table: Tensor, length: int) -> Tensor:
    """A table by distance (n, 2m - 1) → by pair of positions (n, length, length), resized from m to ``length``."""
    distances = 2 * length - 1
    if table.shape[1] != distances:
        table = F.interpolate(table[None], size=distances, mode='linear', align_corners=True)[0]
    place = torch.arange(length, device=table.device)
    return table[:, place[None] - place[:, None] + length - 1]


def spatial_attention(maps: Tensor) -> Tensor:
    """Sigmoid of the sum over channels, g in P-MSDSNet eq. 7: maps (B, K, h, w) → (B, 1, h, w) in (0, 1)."""
    return maps.sum(1, keepdim=True).sigmoid()
