"""A head that upsamples features to the size of the image and convolves them."""

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, Features, OptSampleList, Predictions
from torch import Tensor

from ..layers import check_input_size
from .on_device_heatmap_head import OnDeviceHeatmapHead


@MODELS.register_module()
class UpsampledMapHead(OnDeviceHeatmapHead):
    """Bilinear upsampling of the last features, and one convolution with zero padding (joint heads, Figure 1).

    Both are linear and bilinear upsampling is separable, so the order can change: first each tap of the convolution at
    the coarse positions, then a product with interpolation matrices that are shifted by the tap. This is the same
    function with a fraction of the multiplications and memory, because no upsampled features exist (1024 channels of
    128×128 would be 64 MiB per image).

    Letters: B batch, C channels, K keypoints, h and w the features' size, H and W the map's, k the kernel's.

    Args:
        in_channels, out_channels: C and K.
        kernel_size: k, an odd number.
        decoder: The codec, which also makes the targets. [W, H] is its ``heatmap_size``. If it has ``to_weights``, that
            converts the maps of ``output_heatmaps``.
        **kwargs: Arguments of MMPose's ``HeatmapHead`` other than its layers, such as ``loss``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 21,
        kernel_size: int = 5,
        decoder: ConfigType | None = None,
        **kwargs,
    ) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f'kernel_size: expected an odd number from 1, got {kernel_size}')
        final_layer = dict(kernel_size=kernel_size, padding=kernel_size // 2)
        layers = dict(deconv_out_channels=None, deconv_kernel_sizes=None, final_layer=final_layer)
        super().__init__(in_channels=in_channels, out_channels=out_channels, decoder=decoder, **layers, **kwargs)

    def forward(self, feats: Features) -> Tensor:
        """Features, the last of them (B, C, h, w) → maps (B, K, H, W). Their stride must divide the input size."""
        x = feats[-1]
        check_input_size(self.decoder.input_size[::-1], self._stride(x))
        h, w = x.shape[2:]
        width, height = self.decoder.heatmap_size
        weight = self.final_layer.weight  # (K, C, k, k)
        k = weight.shape[-1]
        taps = F.conv2d(x, weight.permute(0, 2, 3, 1).reshape(-1, weight.shape[1], 1, 1))  # (B, K k k, h, w)
        taps = taps.unflatten(1, (-1, k, k)).permute(0, 1, 2, 4, 3, 5)  # (B, K, k, h, k, w)
        rows = taps.reshape(*taps.shape[:2], k * h, k * w) @ _shifted_interpolation(x, w, width, k)  # (B, K, k h, W)
        maps = _shifted_interpolation(x, h, height, k).T @ rows  # (B, K, H, W)
        return maps + self.final_layer.bias.view(-1, 1, 1)

    def predict(
        self, feats: Features, batch_data_samples: OptSampleList, test_cfg: ConfigType | None = None
    ) -> Predictions:
        """Return ``OnDeviceHeatmapHead``'s predictions; ``output_heatmaps`` are the weights that the codec averages."""
        predictions = super().predict(feats, batch_data_samples, test_cfg)
        if isinstance(predictions, tuple) and hasattr(self.decoder, 'to_weights'):
            for field in predictions[1]:
                field.heatmaps = self.decoder.to_weights(field.heatmaps.float())
        return predictions


def _shifted_interpolation(like: Tensor, coarse: int, fine: int, k: int) -> Tensor:
    """Return the matrices (k coarse, fine) of linear interpolation from ``coarse`` to ``fine`` positions for each tap.

    Entry (d, j), i is the weight of value j at position i + d - k // 2, or 0 outside.
    """
    unit = torch.eye(coarse, device=like.device, dtype=like.dtype).unsqueeze(0)
    line = F.interpolate(unit, size=fine, mode='linear', align_corners=False)[0]  # (coarse, fine)
    padded = F.pad(line, (k // 2, k // 2))
    return padded.unfold(1, fine, 1).transpose(0, 1).flatten(0, 1)  # (coarse, k, fine) → (k coarse, fine)
