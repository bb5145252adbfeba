"""MSAHP's PoseEstimationNet: stacked encoder-decoders with self-attention in between."""

from collections.abc import Sequence

from mmengine.model import BaseModule, ModuleList, Sequential
from mmpose.registry import MODELS
from torch import Tensor, cat, nn

from ..layers import check_input_size

STRIDE = 8


def _conv(inputs: int, outputs: int, kernel: int = 3) -> Sequential:
    """Convolution, ReLU, batch norm in the order of Table 1."""
    return Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU(), nn.BatchNorm2d(outputs))


class _Decoder(BaseModule):
    """Rows 13 to 21 of Table 1."""

    def __init__(self, inputs: int, width: int, num_keypoints: int) -> None:
        super().__init__()
        self.conv13 = _conv(inputs, width)
        self.conv14 = _conv(width, width)
        self.conv15 = _conv(width, width, 5)
        self.conv16 = _conv(width, width, 5)
        self.conv18 = Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU())
        self.conv19 = nn.Conv2d(width, num_keypoints, (1, 3), padding=(0, 1))
        self.conv20 = nn.Conv2d(num_keypoints, num_keypoints, (3, 1), padding=(1, 0))
        self.conv21 = nn.Conv2d(num_keypoints, num_keypoints, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) → score maps (B, K, h, w)."""
        x = self.conv15(self.conv14(self.conv13(x)))
        x = self.conv16(x) + x  # row 17
        return self.conv21(self.conv20(self.conv19(self.conv18(x))))


class _Stack(BaseModule):
    """Encoder, bottleneck, rows 11 and 12, decoder."""

    def __init__(self, encoder: nn.Module, widths: Sequence[int], num_keypoints: int, bottleneck: dict | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = None if bottleneck is None else MODELS.build(bottleneck)
        self.conv11 = nn.Conv2d(widths[-1], num_keypoints, 1)
        self.decoder = _Decoder(widths[-1] + num_keypoints, widths[-2], num_keypoints)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Input of the encoder → features (B, F, h, w) and score maps (B, K, h, w)."""
        features = self.encoder(x)  # (B, F, h, w)
        if self.bottleneck is not None:
            features = self.bottleneck(features)
        return features, self.decoder(cat([features, self.conv11(features)], 1))


@MODELS.register_module()
class PoseEstimationNet(BaseModule):
    """PoseEstimationNet (MSAHP, section 3.2 and Table 1): a sequence of encoder-decoders, each with maps at stride 8.

    The first encoder is rows 1 to 10 of the table. The paper stacks two encoder-decoders and does not say what the
    input of the second is. Here it is the features and score maps of the first, and two 3×3 convolutions (rows 9 and 10
    again) are its encoder. The bottleneck stands after row 10; the table has no row for it.

    Letters: B batch, F features, K keypoints, h and w the map's size.

    Args:
        num_stacks: Number of encoder-decoders.
        num_keypoints: K.
        attention: Whether there is a bottleneck between encoder and decoder.
        widths: Channels of the encoder at stride 1, 2 and 4, and F at stride 8; the decoder has those at stride 4.
        bottleneck: Arguments of the bottleneck without ``in_channels``; ``type`` is :class:`MSABottleneck` by default.
    """

    def __init__(
        self,
        num_stacks: int = 2,
        num_keypoints: int = 21,
        attention: bool = True,
        widths: Sequence[int] = (64, 96, 128, 256),
        bottleneck: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg or [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d', val=1)]
        )
        for name, value in dict(num_stacks=num_stacks, num_keypoints=num_keypoints).items():
            if value < 1:
                raise ValueError(f'{name}: expected an integer from 1, got {value}')
        if len(widths) != 4 or min(widths) < 1:
            raise ValueError(f'widths: expected four integers from 1, got {widths}')
        first, second, third, features = widths
        encoders: list[nn.Module] = [
            Sequential(
                _conv(3, first), nn.MaxPool2d(2), _conv(first, second), _conv(second, second), nn.MaxPool2d(2),
                _conv(second, third), _conv(third, third), nn.MaxPool2d(2), _conv(third, features),
                _conv(features, features),
            )
        ]  # fmt: skip
        for _ in range(num_stacks - 1):
            encoders.append(Sequential(_conv(features + num_keypoints, features), _conv(features, features)))
        between = dict(dict(type='MSABottleneck', in_channels=features), **(bottleneck or {})) if attention else None
        self.stacks = ModuleList(_Stack(encoder, widths, num_keypoints, between) for encoder in encoders)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W), both multiples of 8 → the score maps (B, K, H/8, W/8) of each stack."""
        check_input_size(x.shape, STRIDE)
        maps: list[Tensor] = []
        for stack in self.stacks:
            features, scores = stack(x)
            maps.append(scores)
            x = cat([features, scores], 1)
        return tuple(maps)
