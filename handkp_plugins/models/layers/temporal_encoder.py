"""A Transformer encoder over the frames of a clip."""

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from .encoder_layer import EncoderLayer


def sequence_code(length: int, embed_dims: int, base: float = 10000.0) -> Tensor:
    """Return the sine code (L, d) of positions 0 … L − 1, with sine and cosine of each frequency side by side.

    Entries 2i and 2i + 1 of position p are sin and cos of p / base^(2i/d) (Vaswani et al., 2017, section 3.5). MMPose's
    ``SinePositionalEncoding`` puts all sines before all cosines.
    """
    frequency = base ** (-torch.arange(0, embed_dims, 2) / embed_dims)  # (d/2,)
    angle = torch.arange(length)[:, None] * frequency  # (L, d/2)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


class TemporalEncoder(BaseModule):
    """N pre-norm encoder layers and a final layer norm, over sequences of any length.

    Blocks P and A of HTT have this form. The sine code of the positions is added to the normalised queries and keys of
    each layer, not to the values.

    Letters: B sequences, L tokens, d channels.

    Args:
        embed_dims: d, an even number.
        num_layers: N.
        num_heads: Heads, a divisor of d.
        feedforward_channels: Width of the feed-forward networks.
        dropout: All dropout rates of a layer.
    """

    def __init__(
        self,
        embed_dims: int = 512,
        num_layers: int = 2,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        dropout: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Xavier', layer='Linear', distribution='uniform'))
        if num_layers < 1:
            raise ValueError(f'num_layers: expected an integer from 1, got {num_layers}')
        if embed_dims % 2:
            raise ValueError(f'embed_dims: expected an even number, got {embed_dims}')
        if num_heads < 1 or embed_dims % num_heads:
            raise ValueError(f'num_heads: expected a divisor of embed_dims {embed_dims}, got {num_heads}')
        self.layers = ModuleList(
            EncoderLayer(embed_dims, num_heads, feedforward_channels, dropout, dropout, norm_first=True)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(embed_dims)

    def forward(self, tokens: Tensor, padding: Tensor | None = None) -> Tensor:
        """Tokens (B, L, d), padded tokens (B, L) or None → (B, L, d). Each sequence needs one token without padding."""
        position = sequence_code(*tokens.shape[1:]).to(tokens)[None]  # (1, L, d)
        for layer in self.layers:
            tokens = layer(tokens, position, padding)
        return self.norm(tokens)
