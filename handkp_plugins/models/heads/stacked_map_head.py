"""The head of networks whose stacks return score maps."""

from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, Features, OptSampleList
from torch import Tensor

from .on_device_heatmap_head import OnDeviceHeatmapHead


@MODELS.register_module()
class StackedMapHead(OnDeviceHeatmapHead):
    """Supervises the score maps of each stack (``PoseEstimationNet``) and predicts from the last ones; has no layers.

    Args:
        num_keypoints: K.
        decoder: The codec, which also makes the targets.
        **kwargs: Arguments of MMPose's ``HeatmapHead`` other than its layers, such as ``loss``.
    """

    def __init__(self, num_keypoints: int = 21, decoder: ConfigType | None = None, **kwargs) -> None:
        layers = dict(deconv_out_channels=None, final_layer=None)
        super().__init__(in_channels=num_keypoints, out_channels=num_keypoints, decoder=decoder, **layers, **kwargs)

    def loss(self, feats: Features, batch_data_samples: OptSampleList, train_cfg: ConfigType | None = None) -> dict:
        """Return ``loss_kpt`` of the last stack, ``loss_stack1`` and so on of the others, and ``acc_pose``."""
        keypoints, weights = self._labels(batch_data_samples)
        scores = self._check_maps(self.forward(feats))
        *earlier, last = self._map_losses(feats, keypoints, weights)  # the same target
        losses = dict(loss_kpt=last) | {f'loss_stack{i}': loss for i, loss in enumerate(earlier, start=1)}
        if (train_cfg or {}).get('compute_acc', True):
            losses['acc_pose'] = self._accuracy(scores, keypoints, weights)
        return losses

    def forward(self, feats: Features) -> Tensor:
        """Score maps (B, K, h, w) of each stack → those of the last one."""
        if feats[-1].shape[1] != self.out_channels:
            raise ValueError(
                f'num_keypoints: expected {feats[-1].shape[1]}, those of the backbone, got {self.out_channels}'
            )
        return super().forward(feats)
