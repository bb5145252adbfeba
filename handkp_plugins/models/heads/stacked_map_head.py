"""Head of networks that make their own score maps, once a stack."""

from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, Features, OptSampleList
from torch import Tensor

from .on_device_heatmap_head import OnDeviceHeatmapHead


@MODELS.register_module()
class StackedMapHead(OnDeviceHeatmapHead):
    """The score maps of each stack are supervised alike, and those of the last one predict (``PoseEstimationNet``).

    It has no layers of its own.

    Args:
        num_keypoints: K.
        decoder: The codec, which makes the targets too.
        **kwargs: Those of MMPose's ``HeatmapHead`` that concern no layers, such as ``loss``.
    """

    def __init__(self, num_keypoints: int = 21, decoder: ConfigType | None = None, **kwargs) -> None:
        super().__init__(
            in_channels=num_keypoints,
            out_channels=num_keypoints,
            deconv_out_channels=None,
            final_layer=None,
            decoder=decoder,
            **kwargs,
        )

    def loss(self, feats: Features, batch_data_samples: OptSampleList, train_cfg: ConfigType | None = None) -> dict:
        """``loss_kpt`` of the last stack, ``loss_stack1`` and so on of those before, and ``acc_pose``."""
        keypoints, weights = self._labels(batch_data_samples)
        scores = self._checked(self.forward(feats))
        *earlier, last = self._map_losses(feats, keypoints, weights)  # one target for them all
        losses = dict(loss_kpt=last) | {f'loss_stack{i}': loss for i, loss in enumerate(earlier, start=1)}
        if (train_cfg or {}).get('compute_acc', True):
            losses['acc_pose'] = self._accuracy(scores, keypoints, weights)
        return losses

    def forward(self, feats: Features) -> Tensor:
        """Score maps (B, K, h, w) of each stack → those of the last."""
        if feats[-1].shape[1] != self.out_channels:
            raise ValueError(
                f'num_keypoints: expected {feats[-1].shape[1]}, those of the backbone, got {self.out_channels}'
            )
        return super().forward(feats)
