"""MSAHP's PoseEstimationNet: stacked encoder-decoders with self-attention between."""

from mmengine.model import BaseModule, ModuleList, Sequential
from mmpose.registry import MODELS
from torch import Tensor, cat, nn

from ..layers import check_input_size

STRIDE = 8
_FEATURES = 256


def _conv(inputs: int, outputs: int, kernel: int = 3) -> Sequential:
    """Convolution, ReLU, batch norm, in this order (Table 1)."""
    return Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU(), nn.BatchNorm2d(outputs))


class _Decoder(BaseModule):
    """Rows 13 to 21 of Table 1."""

    def __init__(self, inputs: int, num_keypoints: int) -> None:
        super().__init__()
        self.conv13 = _conv(inputs, 128)
        self.conv14 = _conv(128, 128)
        self.conv15 = _conv(128, 128, 5)
        self.conv16 = _conv(128, 128, 5)
        self.conv18 = Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.ReLU())
        self.conv19 = nn.Conv2d(128, num_keypoints, (1, 3), padding=(0, 1))
        self.conv20 = nn.Conv2d(num_keypoints, num_keypoints, (3, 1), padding=(1, 0))
        self.conv21 = nn.Conv2d(num_keypoints, num_keypoints, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) → score maps (B, K, h, w)."""
        x = self.conv15(self.conv14(self.conv13(x)))
        x = self.conv16(x) + x  # row 17
        return self.conv21(self.conv20(self.conv19(self.conv18(x))))


class _Stack(BaseModule):
    """Encoder, bottleneck, rows 11 and 12, decoder."""

    def __init__(self, encoder: nn.Module, num_keypoints: int, bottleneck: dict | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = None if bottleneck is None else MODELS.build(bottleneck)
        self.conv11 = nn.Conv2d(_FEATURES, num_keypoints, 1)
        self.decoder = _Decoder(_FEATURES + num_keypoints, num_keypoints)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder takes → features (B, 256, h, w) and score maps (B, K, h, w)."""
        features = self.encoder(x)  # (B, 256, h, w)
        if self.bottleneck is not None:
            features = self.bottleneck(features)
        return features, self.decoder(cat([features, self.conv11(features)], 1))


@MODELS.register_module()
class PoseEstimationNet(BaseModule):
    """PoseEstimationNet (MSAHP, section 3.2 and Table 1): encoder-decoders in a row, each with maps at stride 8.

    The first encoder is rows 1 to 10 of the table. The paper stacks two encoder-decoders and does not say what the
    second takes: here the features and the score maps of the one before, which two 3×3 convolutions (rows 9 and 10 once
    more) make features of. The bottleneck stands after row 10; the table has no row for it.

    Args:
        num_stacks: Encoder-decoders.
        num_keypoints: K.
        attention: Whether there is a bottleneck between encoder and decoder.
        bottleneck: Its arguments beside ``in_channels``; with ``type`` another module than :class:`MSABottleneck`.
        init_cfg: As in every MMEngine module.
    """

    def __init__(
        self,
        num_stacks: int = 2,
        num_keypoints: int = 21,
        attention: bool = True,
        bottleneck: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg or [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d', val=1)]
        )
        if num_stacks < 1:
            raise ValueError(f'num_stacks: allowed an integer from 1, received {num_stacks}')
        if num_keypoints < 1:
            raise ValueError(f'num_keypoints: allowed an integer from 1, received {num_keypoints}')
        encoders: list[nn.Module] = [
            Sequential(
                _conv(3, 64),
                nn.MaxPool2d(2),
                _conv(64, 96),
                _conv(96, 96),
                nn.MaxPool2d(2),
                _conv(96, 128),
                _conv(128, 128),
                nn.MaxPool2d(2),
                _conv(128, _FEATURES),
                _conv(_FEATURES, _FEATURES),
            )  # fmt: skip
        ]
        for _ in range(num_stacks - 1):
            encoders.append(Sequential(_conv(_FEATURES + num_keypoints, _FEATURES), _conv(_FEATURES, _FEATURES)))
        between = dict(dict(type='MSABottleneck', in_channels=_FEATURES), **(bottleneck or {})) if attention else None
        self.stacks = ModuleList(_Stack(encoder, num_keypoints, between) for encoder in encoders)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W), both multiples of 8 → the score maps (B, K, H/8, W/8) of each stack."""
        check_input_size(x.shape, STRIDE)
        maps: list[Tensor] = []
        for stack in self.stacks:
            features, scores = stack(x)
            maps.append(scores)
            x = cat([features, scores], 1)
        return tuple(maps)
