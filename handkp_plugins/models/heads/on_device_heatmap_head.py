"""A heatmap head that makes its targets on the device."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, Features, InstanceList, OptSampleList, Predictions
from torch import Tensor, nn

from ..layers import check_input_size


@MODELS.register_module()
class OnDeviceHeatmapHead(HeatmapHead):
    """MMPose's ``HeatmapHead`` for codecs that send coordinates instead of maps (``GaussianHeatmap``).

    The samples carry ``keypoint_labels`` (1, K, 2) in input pixels and ``keypoint_weights`` (1, K); this head makes the
    maps of the whole batch. Layers, arguments, prediction and flip test are ``HeatmapHead``'s; ``decoder`` is required,
    because it makes the targets.

    Maps must have the decoder's ``heatmap_size``, which must divide its ``input_size``: a network rounds up sizes that
    its stride does not divide, and such a map is not aligned with its image.

    Letters: B batch, K keypoints, C channels, h and w the map's size.
    """

    def __init__(self, *args, decoder: ConfigType | None = None, **kwargs) -> None:
        super().__init__(*args, decoder=decoder, **kwargs)
        if not hasattr(self.decoder, 'make_heatmaps'):
            raise ValueError(
                f'decoder: expected a codec that makes maps on the device (GaussianHeatmap), got {decoder}'
            )

    def loss(self, feats: Features, batch_data_samples: OptSampleList, train_cfg: ConfigType | None = None) -> dict:
        """Return the loss ``loss_kpt`` of the final maps, and their PCK at 5 % of the input size, ``acc_pose``.

        ``train_cfg=dict(compute_acc=False)`` omits ``acc_pose``.
        """
        keypoints, weights = self._labels(batch_data_samples)
        heatmaps = self._check_maps(self.forward(feats))  # (B, K, h, w)
        losses = dict(loss_kpt=self._map_losses([heatmaps], keypoints, weights)[0])
        if (train_cfg or {}).get('compute_acc', True):
            losses['acc_pose'] = self._accuracy(heatmaps, keypoints, weights)
        return losses

    def decode(self, batch_outputs: Tensor) -> InstanceList:
        """Maps (B, K, h, w) → keypoints and scores, as in ``HeatmapHead``."""
        return super().decode(self._check_maps(batch_outputs))

    def _check_maps(self, maps: Tensor) -> Tensor:
        """Return the maps (B, K, h, w), or raise ValueError unless they have the size that the decoder expects."""
        size, input_size = maps.shape[:1:-1], self.decoder.input_size
        deconvolutions = (m for m in self.deconv_layers.modules() if isinstance(m, nn.ConvTranspose2d))
        check_input_size(input_size[::-1], self._stride(maps) * math.prod(m.stride[0] for m in deconvolutions))
        if size != self.decoder.heatmap_size or np.mod(input_size, size).any():
            raise ValueError(
                f'heatmap_size: expected {size[0]}×{size[1]}, the size of the maps, where input_size is that of the '
                f'images, got heatmap_size {self.decoder.heatmap_size} and input_size {input_size}'
            )
        return maps

    def _stride(self, maps: Tensor) -> int:
        """Return the stride of maps or features (B, C, h, w): the only power of two that fits a rounded size."""
        return 2 ** math.ceil(math.log2(np.divide(self.decoder.input_size, maps.shape[:1:-1]).max()))

    @staticmethod
    def _labels(batch_data_samples: OptSampleList) -> tuple[Tensor, Tensor]:
        """Return keypoints (B, K, 2) in input pixels and their weights (B, K)."""
        labels = [d.gt_instance_labels for d in batch_data_samples]
        return torch.cat([x.keypoint_labels for x in labels]), torch.cat([x.keypoint_weights for x in labels])

    def _map_losses(self, maps: Sequence[Tensor], keypoints: Tensor, weights: Tensor) -> list[Tensor]:
        """Return the loss of each of several maps (B, K, h, w) of one size, against the same target."""
        h, w = maps[0].shape[2:]
        target = self.decoder.make_heatmaps(keypoints, weights, (w, h))
        return [self.loss_module(m.float(), target, weights) for m in maps]

    def predict(
        self, feats: Features, batch_data_samples: OptSampleList, test_cfg: ConfigType | None = None
    ) -> Predictions:
        """Return ``HeatmapHead``'s predictions.

        With ``output_heatmaps``, logits become likelihoods relative to the best position, in [0, 1].
        """
        predictions = super().predict(feats, batch_data_samples, test_cfg or {})
        if isinstance(predictions, tuple) and self.decoder.logits:
            for field in predictions[1]:
                logits = field.heatmaps.float()  # (K, h, w)
                field.heatmaps = (logits - logits.amax((1, 2), keepdim=True)).exp()
        return predictions

    @torch.no_grad()
    def _accuracy(self, heatmaps: Tensor, keypoints: Tensor, weights: Tensor, threshold: float = 0.05) -> Tensor:
        """Return the PCK at 5 % of the input size, a mean over the keypoints that are labelled in this batch."""
        h, w = heatmaps.shape[2:]
        peak = heatmaps.flatten(2).argmax(-1)  # (B, K); without the decoder's refinement, which is slower
        position = (torch.stack([peak % w, peak // w], -1) + 0.5) / peak.new_tensor([w, h])  # (B, K, 2) in [0, 1]
        labelled = weights > 0  # (B, K)
        truth = (keypoints + 0.5) / peak.new_tensor(self.decoder.input_size)
        hit = (position - truth).where(labelled.unsqueeze(-1), truth.new_zeros(())).norm(dim=-1) < threshold
        count = labelled.sum(0)  # (K,)
        share = (hit & labelled).sum(0) / count.clamp(min=1)
        return share.sum() / (count > 0).sum().clamp(min=1)
