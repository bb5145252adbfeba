"""A bottleneck of multi-head self-attention between an encoder and a decoder."""

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .attention import RelativePositionBias, SelfAttention


@MODELS.register_module()
class MSABottleneck(BaseModule):
    """Self-attention over all positions of a map, with a shortcut (MSAHP, figure 2 and section 3.2).

    If the map does not have d channels, a 1×1 convolution reduces it to d, and another one restores it. Each position
    is a token; each head adds a bias that depends on the distance between two positions. Input and output have the same
    shape, and any size. The paper gives neither the number of heads nor the position code.

    Letters: B batch, d channels, h and w the map's size, n heads.

    Args:
        in_channels: Channels of the map.
        embed_dims: d.
        num_heads: n, a divisor of d.
        dropout: Dropout rate of the attention weights.
        position: ``'relative'`` or ``'none'``.
        window: [W, H] of the map for which the relative bias is learned; it is resized to other maps.
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
            raise ValueError(f"position: expected 'relative' or 'none', got {position!r}")
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
        mixed = self.attention(tokens, None, bias).transpose(1, 2).unflatten(2, maps.shape[2:])  # (B, d, h, w)
        return x + self.expand(mixed)
