"""A Transformer encoder layer that adds the position code in its attention."""

from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor, nn

from .attention import SelfAttention


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each with dropout, a shortcut and a layer norm.

    Args:
        embed_dims: Channels d of a token.
        dropout: Dropout rate after the attention and after both layers of the feed-forward network.
        attention_dropout: Dropout rate of the attention weights.
        norm_first: Whether each norm is before attention or feed-forward network (pre-norm) or after its shortcut.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        feedforward_channels: int,
        dropout: float,
        attention_dropout: float,
        norm_first: bool = False,
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(embed_dims, num_heads, attention_dropout)
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.ffn = FFN(embed_dims, feedforward_channels, ffn_drop=dropout)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.norm_first = norm_first

    def forward(self, tokens: Tensor, position: Tensor | None, padding: Tensor | None = None) -> Tensor:
        """Tokens (B, L, d), their position code (1, L, d) or None, padded tokens (B, L) or None → (B, L, d)."""
        if self.norm_first:
            tokens = tokens + self.dropout(self.attention(self.norm1(tokens), position, padding=padding))
            return self.ffn(self.norm2(tokens), tokens)
        tokens = self.norm1(tokens + self.dropout(self.attention(tokens, position, padding=padding)))
        return self.norm2(self.ffn(tokens))
