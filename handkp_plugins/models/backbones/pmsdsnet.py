"""P-MSDSNet: parallel scales, consecutive stages, and deep supervision that becomes attention."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleDict, ModuleList, Sequential
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..layers import check_input_size, spatial_attention

FUSIONS = ('cycle', 'up', 'down')
Maps = list[Tensor | None]


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, padding: int | None = None) -> ConvModule:
    """Convolution, batch norm, ReLU."""
    padding = kernel // 2 if padding is None else padding
    return ConvModule(inputs, outputs, kernel, stride, padding, norm_cfg=dict(type='BN'))


def _conv_x(inputs: int, outputs: int) -> Sequential:
    """The paper's convₓ: three 3×3 convolutions with batch norm."""
    return Sequential(_conv(inputs, outputs, 3), _conv(outputs, outputs, 3), _conv(outputs, outputs, 3))


def _stem(outputs: int, stride: int) -> ConvModule:
    """Strided convolution of the image; outputs have the pixel centres of bilinear resizing, (j + 0.5) stride - 0.5."""
    return _conv(3, outputs, 3) if stride == 1 else _conv(3, outputs, 2 * stride, stride, stride // 2)


class _Stage(BaseModule):
    """One stage, eq. 4 to 7: ``inputs`` are the channels of X⁽ˢ'ᵐ⁾ for each scale that it computes, ``mapped`` scales
    have a map Z, and the ``num_passed`` finest ones are returned. The rest is as in :class:`PMSDSNet`."""

    def __init__(
        self,
        strides: Sequence[int],
        fusion: str,
        inputs: Sequence[int],
        stem_widths: Sequence[int],
        widths: Sequence[int],
        fusion_widths: Sequence[int],
        num_keypoints: int,
        mapped: set[int],
        num_passed: int,
    ) -> None:
        super().__init__()
        self.ratios = [b // a for a, b in pairwise(strides)]
        self.mapped, self.num_passed = mapped, num_passed
        num_scales = len(inputs)
        down, up = fusion != 'up', fusion != 'down'
        x = [c + fusion_widths[s] * (down and s > 0) for s, c in enumerate(inputs)]
        self.out_widths = [widths[s] + fusion_widths[s] * (up and s < num_scales - 1) for s in range(num_scales)]
        q = self.out_widths
        self.conv_down = ModuleList(_conv(x[s - 1], fusion_widths[s]) for s in range(1, num_scales) if down)
        self.conv_x = ModuleList(_conv_x(x[s], widths[s]) for s in range(num_scales))
        self.conv_up = ModuleList(_conv(q[s + 1], fusion_widths[s]) for s in range(num_scales - 1) if up)
        self.conv_q = ModuleDict({str(s): _conv(q[s], num_keypoints) for s in sorted(mapped)})
        self.conv_ds = ModuleDict(
            {str(s): nn.Conv2d(num_keypoints + stem_widths[s], num_keypoints, 1) for s in sorted(mapped)}
        )

    def init_weights(self) -> None:
        """Initialise Z near 0, like MMPose's ``HeatmapHead``, so that the attention starts at one half."""
        super().init_weights()
        for conv in self.conv_ds.values():
            nn.init.normal_(conv.weight, std=0.001)
            nn.init.zeros_(conv.bias)

    def forward(self, x: Maps, x0: Maps) -> tuple[Maps, Maps]:
        """X⁽ˢ'ᵐ⁾ and X⁽ˢ'⁰⁾, each (B, C, H/stride, W/stride) → X⁽ˢ'ᵐ⁺¹⁾ and Z⁽ˢ'ᵐ⁾, (B, K, H/stride, W/stride)."""
        x = list(x)
        for s, conv in enumerate(self.conv_down, start=1):  # eq. 4
            x[s] = torch.cat([x[s], conv(F.avg_pool2d(x[s - 1], self.ratios[s - 1]))], 1)
        q = [conv(x[s]) for s, conv in enumerate(self.conv_x)]
        for s in reversed(range(len(self.conv_up))):  # eq. 5
            coarse = self.conv_up[s](q[s + 1])
            q[s] = torch.cat([q[s], F.interpolate(coarse, size=q[s].shape[2:], mode='bilinear')], 1)
        z: Maps = [None] * len(q)
        for s in self.mapped:  # eq. 6
            z[s] = self.conv_ds[str(s)](torch.cat([self.conv_q[str(s)](q[s]), x0[s]], 1))
        passed = range(self.num_passed)  # eq. 7
        return [q[s] if z[s] is None else spatial_attention(z[s]) * q[s] for s in passed], z


@MODELS.register_module()
class PMSDSNet(BaseModule):
    """Parallel Multi-Scale Deep Supervision Network (Li et al., 2021), section 3, eq. 4 to 7.

    S scales run in parallel. Each of M stages fuses them downward and upward, computes keypoint maps Z, which the head
    supervises, and multiplies its features by the attention from Z. convₓ is three 3×3 convolutions; conv_down (after
    average pooling), conv_up (before bilinear resizing), conv_Q and conv_ds are 1×1.

    Parts without influence on an output are not built, so every parameter gets a gradient. The last stage returns only
    the finest features, so it has Z only for the finest and the supervised scales. With ``fusion='down'`` no coarse
    scale reaches the finest one, so the scales beyond the last supervised one are not built; without deep supervision
    only the finest scale remains.

    Letters: B batch, K keypoints, S scales (index s), M stages (index m), X features, Z maps, Q gated features.

    Args:
        num_stages: M.
        num_keypoints: K, the channels of Z.
        strides: Stride of each scale, finest first; each a multiple of the one before.
        widths: Channels of convₓ at each scale.
        fusion_widths: Channels that conv_down and conv_up each add to a scale.
        stem_widths: Channels of X⁽ˢ'⁰⁾; ``widths`` by default.
        fusion: ``'cycle'``, down and then up; or ``'up'`` or ``'down'`` alone.
        deep_supervision: Whether there are Z and attention; without them X⁽ˢ'ᵐ⁺¹⁾ = Q⁽ˢ'ᵐ⁾.
        supervised_scales: Indices of the scales whose Z the head supervises; the head needs the same ones.
        with_cp: Whether to recompute the stages in the backward pass instead of storing their features.
    """

    def __init__(
        self,
        num_stages: int = 3,
        num_keypoints: int = 21,
        strides: Sequence[int] = (1, 2, 4, 8, 16),
        widths: Sequence[int] = (8, 8, 16, 32, 144),
        fusion_widths: Sequence[int] = (16, 16, 16, 32, 56),
        stem_widths: Sequence[int] | None = None,
        fusion: str = 'cycle',
        deep_supervision: bool = True,
        supervised_scales: Sequence[int] = (0, 1, 2),
        with_cp: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg or [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d', val=1)]
        )
        stem_widths = widths if stem_widths is None else stem_widths
        supervised_scales = supervised_scales if deep_supervision else ()
        for name, value in dict(num_stages=num_stages, num_keypoints=num_keypoints).items():
            if value < 1:
                raise ValueError(f'{name}: expected an integer from 1, got {value}')
        all_widths = dict(widths=widths, fusion_widths=fusion_widths, stem_widths=stem_widths)
        _check(strides, all_widths, fusion, supervised_scales)
        self.strides = tuple(strides)
        self.num_scales = len(strides)
        self.with_cp = with_cp

        # backwards from the output: the scales that each stage computes, maps and returns
        plans, num_passed = [], 1
        for _ in range(num_stages):
            mapped = {*range(num_passed), *supervised_scales} if deep_supervision else set()
            num_live = max(mapped | {num_passed - 1}) + 1 if fusion == 'down' else self.num_scales
            plans.insert(0, (num_live, mapped, num_passed))
            num_passed = num_live

        self.stems = ModuleList(_stem(stem_widths[s], strides[s]) for s in range(num_passed))
        self.entries = ModuleList(_conv_x(stem_widths[s], widths[s]) for s in range(num_passed))
        self.stages = ModuleList()
        inputs = widths
        for num_live, mapped, num_passed in plans:
            live = inputs[:num_live]
            stage = _Stage(strides, fusion, live, stem_widths, widths, fusion_widths, num_keypoints, mapped, num_passed)
            self.stages.append(stage)
            inputs = stage.out_widths
        self.out_channels = inputs[0]

    def forward(self, x: Tensor) -> tuple[Tensor | None, ...]:
        """Images (B, 3, H, W) → ``(features, z_1_1, …, z_1_S, …, z_M_S)``, or ``(features,)`` without deep supervision.

        Features are (B, out_channels, H/strides[0], W/strides[0]); the map of stage m at scale s is (B, K,
        H/strides[s], W/strides[s]), or None if it is not built.
        """
        check_input_size(x.shape, self.strides[-1])
        x0 = [stem(x) for stem in self.stems]
        features = [entry(x0[s]) for s, entry in enumerate(self.entries)]
        maps: Maps = []
        for stage in self.stages:
            if self.with_cp and self.training:
                features, z = checkpoint(stage, features, x0, use_reentrant=False)
            else:
                features, z = stage(features, x0)
            maps += z + [None] * (self.num_scales - len(z))
        return (features[0], *maps) if any(z is not None for z in maps) else (features[0],)


def _check(strides: Sequence[int], widths: dict[str, Sequence[int]], fusion: str, supervised: Sequence[int]) -> None:
    """Check the arguments of :class:`PMSDSNet`."""
    if len(strides) < 2 or strides[0] < 1 or any(b <= a or b % a for a, b in pairwise(strides)):
        raise ValueError(
            f'strides: expected at least two, ascending, each a multiple of the one before, got {tuple(strides)}'
        )
    if strides[0] > 1 and strides[0] % 2 or any(s % 2 for s in strides[1:]):
        raise ValueError(f'strides: expected 1 and even numbers, got {tuple(strides)}')
    for name, values in widths.items():
        if len(values) != len(strides) or min(values) < 1:
            raise ValueError(
                f'{name}: expected one positive integer for each of {len(strides)} strides, got {tuple(values)}'
            )
    if fusion not in FUSIONS:
        raise ValueError(f'fusion: expected {FUSIONS}, got {fusion!r}')
    if len(set(supervised)) != len(supervised) or not set(supervised) <= set(range(len(strides))):
        expected = f'different indices from 0 to {len(strides) - 1}'
        raise ValueError(f'supervised_scales: expected {expected}, got {tuple(supervised)}')
