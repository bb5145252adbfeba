"""Multi-head self-attention over a map, as a bottleneck between an encoder and a decoder."""

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .relative_position import RelativePositionBias
from .transformer_encoder import SelfAttention


@MODELS.register_module()
class MSABottleneck(BaseModule):
    """Self-attention over all positions of a map, with a shortcut (MSAHP, figure 2 and section 3.2).

    A 1×1 convolution brings the map to d channels where it has others; each position is a token, and each head adds to
    its attention a bias that depends on how far apart two positions are; a 1×1 convolution leads back. Input and output
    have the same shape, so that it can stand anywhere in a network, and any size. The paper tells neither the number of
    heads nor the code of positions: both are choices.

    Args:
        in_channels: Channels of the map.
        embed_dims: d.
        num_heads: A divisor of d.
        dropout: Of the attention weights.
        position: ``'relative'`` or ``'none'``.
        window: [W, H] of the map for which the relative code is learned; for others it is resized.
        init_cfg: As in every MMEngine module.
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int = 256,
        num_heads: int = 8,
        dropout: float = 0.0,
        position: str = 'relative',
        window: tuple[int, int] = (32, 32),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_heads < 1 or embed_dims % num_heads:
            raise ValueError(f'num_heads: expected a divisor of embed_dims {embed_dims}, got {num_heads}')
        if position not in ('relative', 'none'):
            raise ValueError(f"position: expected 'relative' and 'none', got {position!r}")
        same = in_channels == embed_dims
        self.reduce = nn.Identity() if same else nn.Conv2d(in_channels, embed_dims, 1)
        self.expand = nn.Identity() if same else nn.Conv2d(embed_dims, in_channels, 1)
        self.norm = nn.LayerNorm(embed_dims)
        self.attention = SelfAttention(embed_dims, num_heads, dropout)
        self.bias = RelativePositionBias(num_heads, window) if position == 'relative' else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, h, w) → the same shape."""
        maps = self.reduce(x)  # (B, d, h, w)
        tokens = self.norm(maps.flatten(2).transpose(1, 2))  # (B, h·w, d)
        bias = None if self.bias is None else self.bias(*maps.shape[2:])  # (n, h·w, h·w)
        mixed = self.attention(tokens, None, bias).transpose(1, 2).unflatten(2, maps.shape[2:])
        return x + self.expand(mixed)
