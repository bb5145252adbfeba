"""P-MSDSNet's head: final maps, and the loss of all supervised maps."""

from collections.abc import Sequence

from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, Features, OptSampleList
from torch import Tensor

from .on_device_heatmap_head import OnDeviceHeatmapHead


@MODELS.register_module()
class DeepSupervisionHead(OnDeviceHeatmapHead):
    """Final convolution Ŷ = conv(X⁽¹'ᴹ⁺¹⁾) and the deeply supervised loss of P-MSDSNet, eq. 8:

        L = loss(Ŷ, Y) + α Σₘ βₘ Σₛ γₛ loss(Z⁽ˢ'ᵐ⁾, Y⁽ˢ⁾)

    Inputs are the outputs of :class:`PMSDSNet`: ``(features, z_1_1, …, z_M_S)``; their count gives the number of
    stages. Without deep supervision they are ``(features,)``, and there is no second term.

    Letters: B batch, K keypoints, S scales, M stages, h and w the map's size.

    Args:
        in_channels: Channels of the features: ``PMSDSNet.out_channels``.
        num_keypoints, num_scales, alpha: K, S and α.
        beta: βₘ, one number for each stage or one for all.
        gamma: γₛ, one number for each supervised scale or one for all.
        supervised_scales: Indices of the scales in the sum over s; those of the backbone.
        decoder: The codec, which also makes the targets of each scale.
        **kwargs: Arguments of MMPose's ``HeatmapHead``, such as ``loss`` (mean squared error by default).
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        num_scales: int = 5,
        alpha: float = 0.1,
        beta: float | Sequence[float] = 1.0,
        gamma: float | Sequence[float] = 1.0,
        supervised_scales: Sequence[int] = (0, 1, 2),
        decoder: ConfigType | None = None,
        **kwargs,
    ) -> None:
        kwargs = dict(deconv_out_channels=None, deconv_kernel_sizes=None) | kwargs
        super().__init__(in_channels=in_channels, out_channels=num_keypoints, decoder=decoder, **kwargs)
        if alpha < 0:
            raise ValueError(f'alpha: expected a number from 0, got {alpha}')
        if not set(supervised_scales) <= set(range(num_scales)):
            raise ValueError(
                f'supervised_scales: expected indices from 0 to {num_scales - 1}, got {tuple(supervised_scales)}'
            )
        self.num_scales, self.supervised_scales = num_scales, tuple(supervised_scales)
        self.alpha, self.beta = alpha, beta
        self.gamma = _one_for_each('gamma', gamma, len(self.supervised_scales))

    def forward(self, feats: Features) -> Tensor:
        """Features, the first of ``feats`` → final maps (B, K, h, w)."""
        channels = feats[0].shape[1]
        if channels != self.in_channels:
            raise ValueError(f'in_channels: expected {channels}, those of the backbone, got {self.in_channels}')
        return super().forward(feats[:1])

    def loss(self, feats: Features, batch_data_samples: OptSampleList, train_cfg: ConfigType | None = None) -> dict:
        """Return ``loss_kpt``, ``loss_ds`` (with deep supervision) and ``acc_pose``; see the class."""
        losses = super().loss(feats, batch_data_samples, train_cfg)
        if len(feats) > 1:
            losses['loss_ds'] = self.alpha * self._supervision_loss(feats[1:], *self._labels(batch_data_samples))
        return losses

    def _supervision_loss(self, maps: Sequence[Tensor | None], keypoints: Tensor, weights: Tensor) -> Tensor:
        """Σₘ βₘ Σₛ γₛ loss(Z⁽ˢ'ᵐ⁾, Y⁽ˢ⁾)."""
        if len(maps) % self.num_scales:
            raise ValueError(f'num_scales: expected a divisor of the {len(maps)} maps, got {self.num_scales}')
        beta = _one_for_each('beta', self.beta, len(maps) // self.num_scales)
        total = keypoints.new_zeros(())
        for s, gamma in zip(self.supervised_scales, self.gamma, strict=True):
            stages = maps[s :: self.num_scales]
            if missing := [m + 1 for m, z in enumerate(stages) if z is None]:
                raise ValueError(
                    f'supervised_scales: expected the scales of the backbone, got {self.supervised_scales}: '
                    f'scale {s} has no map in stages {missing}'
                )
            for b, loss in zip(beta, self._map_losses(stages, keypoints, weights), strict=True):
                total = total + b * gamma * loss
        return total


def _one_for_each(name: str, value: float | Sequence[float], count: int) -> list[float]:
    """Return ``count`` numbers from one number or ``count`` of them."""
    values = [float(value)] * count if isinstance(value, (int, float)) else [float(v) for v in value]
    if len(values) != count:
        raise ValueError(f'{name}: expected one number or {count} of them, got {value}')
    return values
