"""HTT: hand poses, objects and the action of a clip of first-person video."""

from collections.abc import Sequence

import numpy as np
import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor


@MODELS.register_module()
class HTT(BasePoseEstimator):
    """Hierarchical temporal transformer (Wen et al., CVPR 2023).

    Backbone and neck (``ResNet`` of depth 18, ``GlobalAveragePooling``) compute a feature of each frame, and
    :class:`HTTHead` does the rest. The backbone runs on valid frames only; the features of padded frames are 0.

    With ImageNet weights, use ``norm_eval=True``: a batch of two clips is too small for statistics of batch norm.
    Without these weights, batch norm must be trained.

    Samples have the meta information ``frame_valid`` (T,), by default all true, and ``camera`` (3, 3), the intrinsics
    of the network's input; for the loss also what :meth:`HTTHead.loss` needs.

    Letters: B batch, T frames of a clip.

    Args:
        kwargs: Those of MMPose's ``BasePoseEstimator``.
    """

    num_classes_option = 'model.head.num_actions'

    @property
    def num_classes(self) -> int:
        """Number of actions, for :class:`SameClassesHook`."""
        return self.head.num_actions

    def extract_feat(self, inputs: Tensor, valid: Tensor) -> Tensor:
        """Images (B, T, 3, H, W), valid frames (B, T) on the CPU → features (B, T, C)."""
        if inputs.ndim != 5:
            raise ValueError(f'inputs: expected clips of shape (B, T, 3, H, W), got {tuple(inputs.shape)}')
        chosen = valid.flatten().nonzero()[:, 0].to(inputs.device)  # (V,)
        images = inputs.flatten(0, 1)[chosen]  # (V, 3, H, W)
        found = super().extract_feat(images)
        found = found[-1] if isinstance(found, tuple) else found  # (V, C)
        features = found.new_zeros(valid.numel(), found.shape[1]).index_copy(0, chosen, found)
        return features.view(*valid.shape, -1)

    def loss(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, Tensor]:
        """Clips (B, T, 3, H, W) → the losses of :meth:`HTTHead.loss`."""
        return self.head.loss(self._features(inputs, data_samples), data_samples)

    def predict(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> Sequence[PoseDataSample]:
        """Add to each sample ``pred_instances``, those of :meth:`HTTHead.predict`, one entry a frame, and
        ``pred_action_scores`` (n_a,)."""
        instances, actions = self.head.predict(self._features(inputs, data_samples), data_samples)
        for sample, frames, scores in zip(data_samples, instances, actions, strict=True):
            sample.pred_instances = frames
            sample.pred_action_scores = scores
        return data_samples

    def _forward(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        return self.head(*self._features(inputs, data_samples))

    def _features(self, inputs: Tensor, data_samples: Sequence[PoseDataSample] | None) -> tuple[Tensor, Tensor]:
        """Return features (B, T, C) and valid frames (B, T) on the device."""
        valid = torch.ones(inputs.shape[:2], dtype=torch.bool)
        for row, sample in zip(valid, data_samples or (), strict=False):
            if 'frame_valid' in sample:
                flags = np.asarray(sample.frame_valid)
                if flags.shape != row.shape or not flags.any():
                    raise ValueError(
                        f'frame_valid: expected {len(row)} flags, some of them true, got shape {flags.shape} '
                        f'with {np.count_nonzero(flags)} true'
                    )
                row.copy_(torch.from_numpy(flags.astype(bool)))
        return self.extract_feat(inputs, valid), valid.to(inputs.device)
