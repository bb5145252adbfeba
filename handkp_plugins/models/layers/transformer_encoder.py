"""A Transformer encoder layer whose position code enters the attention of every layer."""

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor, nn

_TILES = getattr(torch.cpu, '_is_amx_tile_supported', lambda: False)()  # no public name yet
"""Whether this CPU multiplies tiles of bfloat16 (AMX), as torch's fast kernel for it then does."""


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens, by torch's fast kernels (Vaswani et al., 2017, section 3.2).

    MMCV's ``MultiheadAttention``, on which MMPose's ``DetrTransformerEncoder`` is built, asks torch for the attention
    weights with every call, which rules these kernels out.

    Letters: B batch, L tokens, d channels, n heads.

    Args:
        embed_dims: d.
        num_heads: n, a divisor of d.
        dropout: Of the attention weights.
    """

    def __init__(self, embed_dims: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.query_key = nn.Linear(embed_dims, 2 * embed_dims)
        self.value = nn.Linear(embed_dims, embed_dims)
        self.output = nn.Linear(embed_dims, embed_dims)

    def forward(self, tokens: Tensor, position: Tensor | None, bias: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            tokens: (B, L, d).
            position: Code (1, L, d) of the tokens' positions, which is added for queries and keys alone.
            bias: (n, L, L), added to the products of queries with keys.

        Returns:
            (B, L, d).
        """
        query, key = self._query_key(tokens, position)
        value = self.value(tokens).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, n, L, d/n)
        mixed = _attend(query, key, value, self.dropout if self.training else 0.0, bias)  # (B, n, L, d/n)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def weights(self, tokens: Tensor, position: Tensor | None) -> Tensor:
        """What :meth:`forward` without a bias weights the values with: (B, n, L, L); row i is what token i takes."""
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
    """softmax(QKᵀ) of scaled queries and keys (…, L, e) → (…, L, L)."""
    return (query @ key.mT).softmax(-1)


def _attend(query: Tensor, key: Tensor, value: Tensor, dropout: float, bias: Tensor | None) -> Tensor:
    """Values (B, n, L, e) mixed by the weights of their queries and keys."""
    in_tiles = _TILES and not query.requires_grad
    fused = not dropout and (query.dtype != torch.bfloat16 or in_tiles)
    if query.device.type != 'cpu' or bias is not None or fused:
        mask = None if bias is None else bias.to(query.dtype)[None]  # of four dimensions, which a fast kernel asks for
        return F.scaled_dot_product_attention(query, key, value, mask, dropout)
    # For dropout torch has no kernel here. For bfloat16 its kernels compute in float32 without tiles, and with them the
    # way back is slow. Products of one head at a time, whose weights stay in the cache, are faster in all three cases.
    heads = zip(*(x.flatten(0, 1).contiguous() for x in (_scaled(query), key, value)), strict=True)
    return torch.stack([F.dropout(_weights(q, k), dropout) @ v for q, k, v in heads]).view_as(query)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each with dropout, a shortcut and then a layer norm.

    Args:
        embed_dims: Channels of a token.
        num_heads: Heads of the attention.
        feedforward_channels: Width of the feed-forward network.
        dropout: After the attention, and after both layers of the feed-forward network.
        attention_dropout: Of the attention weights.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, feedforward_channels: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(embed_dims, num_heads, attention_dropout)
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.ffn = FFN(embed_dims, feedforward_channels, ffn_drop=dropout)
        self.norm2 = nn.LayerNorm(embed_dims)

    def forward(self, tokens: Tensor, position: Tensor | None) -> Tensor:
        """Tokens (B, L, d) and the code of their positions (1, L, d) or None → (B, L, d)."""
        tokens = self.norm1(tokens + self.dropout(self.attention(tokens, position)))
        return self.norm2(self.ffn(tokens))
