"""The Transformer encoder of the hand keypoint transformer."""

from collections.abc import Sequence

from mmengine.model import BaseModule, ModuleList
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..layers import EncoderLayer, PositionCode


@MODELS.register_module()
class TransformerNeck(BaseModule):
    """Feature map → tokens → N encoder layers → feature map (hand keypoint transformer, section 1.1).

    A 1×1 convolution outputs d channels; every position is a token. Each layer is post-norm with ReLU and adds the
    position code to queries and keys, but not to values. The map may have any size. :meth:`SelfAttention.weights`
    recomputes the attention weights of ``layers[i].attention`` from its inputs.

    Letters: B batch, d channels, h and w the map's size.

    Args:
        in_channels: Channels of the backbone's last map.
        embed_dims, num_layers: d and N.
        num_heads: Number of heads, a divisor of d.
        feedforward_channels: Width of the feed-forward networks.
        dropout: Dropout rate in the layers.
        attention_dropout: Dropout rate of the attention weights; ``dropout`` by default.
        position: Position code, ``'sine'``, ``'learned'`` or ``'none'``; see :class:`PositionCode`.
        grid_size: [W, H] of the learned grid.
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int = 256,
        num_layers: int = 4,
        num_heads: int = 8,
        feedforward_channels: int = 1024,
        dropout: float = 0.1,
        attention_dropout: float | None = None,
        position: str = 'sine',
        grid_size: tuple[int, int] = (24, 32),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Xavier', layer='Linear', distribution='uniform'))
        if num_layers < 1:
            raise ValueError(f'num_layers: expected an integer from 1, got {num_layers}')
        if num_heads < 1 or embed_dims % num_heads:
            raise ValueError(f'num_heads: expected a divisor of embed_dims {embed_dims}, got {num_heads}')
        self.in_channels = in_channels
        self.reduce = nn.Conv2d(in_channels, embed_dims, 1, bias=False)
        self.position = PositionCode(position, embed_dims, grid_size)
        attention_dropout = dropout if attention_dropout is None else attention_dropout
        self.layers = ModuleList(
            EncoderLayer(embed_dims, num_heads, feedforward_channels, dropout, attention_dropout)
            for _ in range(num_layers)
        )

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor]:
        """The last map (B, in_channels, h, w) of ``feats`` → one map (B, embed_dims, h, w)."""
        if feats[-1].shape[1] != self.in_channels:
            raise ValueError(
                f'in_channels: expected {feats[-1].shape[1]}, those of the backbone, got {self.in_channels}'
            )
        maps = self.reduce(feats[-1])  # (B, d, h, w)
        position = self.position(maps)
        tokens = maps.flatten(2).transpose(1, 2).contiguous()  # (B, h·w, d)
        for layer in self.layers:
            tokens = layer(tokens, position)
        return (tokens.transpose(1, 2).unflatten(2, maps.shape[2:]),)  # (B, d, h, w)
