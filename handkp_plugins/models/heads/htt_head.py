"""The head of HTT: hand pose and object of each frame, and the action of the clip."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..layers import TemporalEncoder


@MODELS.register_module()
class HTTHead(BaseHead):
    """Blocks P and A of the hierarchical temporal transformer (HTT, Pose Block and Action Block).

    Block P encodes each window of t frames separately, to a token g of each frame::

        pose      MLP1(g) = a, b, c of each joint, which PixelDepthLabel decodes
        object    MLP2(g), logits
        h         FC1 [g, FC2(a, b of all joints), FC3(softmax of the object's logits)]

    Block A encodes a learned token and the h of all T frames; FC4 of the token's output gives the logits of the action.
    Gradients of the action pass through poses and object probabilities.

    No frame attends to padded frames. In a window without valid frames the first one is not masked, because a softmax
    over no keys is NaN; its output is not used.

    Letters: B batch, T frames of a clip, t frames of a window, m windows, d channels, J joints, n_o objects, n_a
    actions.

    Args:
        num_joints: J. With two hands, the left hand's come first.
        num_objects: n_o.
        num_actions: n_a.
        embed_dims: d, the channels of the backbone's features.
        window: t. A clip's last window may be shorter.
        num_layers: Layers of each block.
        num_heads: Heads of each layer.
        feedforward_channels: Width of the layers' feed-forward networks.
        dropout: In both blocks.
        loss: :class:`HTTLoss` and its arguments.
        decoder: :class:`PixelDepthLabel` and its arguments.
        init_cfg: As in every MMEngine module.
    """

    def __init__(
        self,
        num_joints: int,
        num_objects: int,
        num_actions: int,
        embed_dims: int = 512,
        window: int = 16,
        num_layers: int = 2,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        dropout: float = 0.0,
        loss: dict | None = None,
        decoder: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        counts = dict(num_joints=num_joints, num_objects=num_objects, num_actions=num_actions, window=window)
        for name, value in counts.items():
            if value < 1:
                raise ValueError(f'{name}: expected an integer from 1, got {value}')
        self.num_joints = num_joints
        self.num_objects = num_objects
        self.num_actions = num_actions
        self.embed_dims = embed_dims
        self.window = window
        d, block = embed_dims, (embed_dims, num_layers, num_heads, feedforward_channels, dropout)
        self.pose_block = TemporalEncoder(*block)
        self.pose_mlp = nn.Sequential(
            nn.Linear(d, d), nn.LeakyReLU(), nn.Linear(d, d), nn.LeakyReLU(), nn.Linear(d, 3 * num_joints)
        )
        self.object_mlp = nn.Sequential(nn.Linear(d, d), nn.Linear(d, num_objects))  # no activation, as in the code
        self.fuse = nn.Linear(3 * d, d)
        self.fuse_pose = nn.Linear(2 * num_joints, d)
        self.fuse_object = nn.Linear(num_objects, d)
        self.action_token = nn.Parameter(torch.randn(1, 1, d))
        self.action_block = TemporalEncoder(*block)
        self.action = nn.Linear(d, num_actions)
        self.loss_module = MODELS.build(loss or dict(type='HTTLoss'))
        self.decoder = KEYPOINT_CODECS.build(decoder or dict(type='PixelDepthLabel', input_size=(480, 270)))

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of frames → pose, object and action.

        Args:
            features: (B, T, d).
            valid: (B, T), bool. Other frames have no influence.

        Returns:
            a, b, c (B, T, J, 3), object logits (B, T, n_o) and action logits (B, n_a).
        """
        if features.ndim != 3 or features.shape[2] != self.embed_dims:
            raise ValueError(f'features: expected shape (B, T, {self.embed_dims}), got {tuple(features.shape)}')
        if features.shape[1] < self.window:
            raise ValueError(
                f'inputs: expected clips of {self.window} frames or more, the window, got {features.shape[1]}'
            )
        tokens = self.encode_windows(features, valid)  # (B, T, d)
        pose, objects, fused = self.read_frames(tokens)
        return pose, objects, self.read_clip(fused, valid)

    def encode_windows(self, features: Tensor, valid: Tensor) -> Tensor:
        """Block P: features (B, T, d), valid frames (B, T) → g (B, T, d)."""
        batch, length = valid.shape
        missing = -length % self.window
        tokens = F.pad(features, (0, 0, 0, missing)).unflatten(1, (-1, self.window)).flatten(0, 1)  # (B·m, t, d)
        padding = ~F.pad(valid, (0, missing)).unflatten(1, (-1, self.window)).flatten(0, 1)  # (B·m, t)
        padding[:, 0] &= ~padding.all(1)
        return self.pose_block(tokens, padding).unflatten(0, (batch, -1)).flatten(1, 2)[:, :length]

    def read_frames(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """g (…, d) → a, b, c (…, J, 3), object logits (…, n_o) and h (…, d)."""
        pose = self.pose_mlp(tokens).unflatten(-1, (self.num_joints, 3))
        objects = self.object_mlp(tokens)
        parts = tokens, self.fuse_pose(pose[..., :2].flatten(-2)), self.fuse_object(objects.softmax(-1))
        return pose, objects, self.fuse(torch.cat(parts, -1))

    def read_clip(self, fused: Tensor, valid: Tensor) -> Tensor:
        """Block A: h (B, T, d), valid frames (B, T) → action logits (B, n_a)."""
        tokens = torch.cat([self.action_token.expand(len(fused), -1, -1).to(fused), fused], 1)  # (B, 1 + T, d)
        return self.action(self.action_block(tokens, F.pad(~valid, (1, 0)))[:, 0])

    def loss(
        self, feats: tuple[Tensor, Tensor], batch_data_samples: Sequence[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """:class:`HTTLoss` of features and validity of :meth:`forward`, and ``acc_action``.

        The samples carry ``keypoint_labels`` (T, J, 3) and ``keypoint_weights`` (T, J) of :class:`PixelDepthLabel`, and
        ``camera``, ``action`` and ``object`` as meta information.
        """
        features, valid = feats
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        joints = labels[0].keypoint_labels.shape[1]
        if joints != self.num_joints:
            raise ValueError(f'num_joints: expected {joints}, the number of labelled joints, got {self.num_joints}')
        actions = self._classes(batch_data_samples, 'action', self.num_actions)
        objects = self._classes(batch_data_samples, 'object', self.num_objects)
        raw, object_logits, action_logits = self.forward(features, valid)
        unit = raw.new_tensor([self.decoder.scale, self.decoder.scale, 1], dtype=torch.float32)
        losses = self.loss_module(
            self.decoder.to_pixels(raw, self._cameras(batch_data_samples)) / unit,
            torch.stack([label.keypoint_labels for label in labels]) / unit,
            torch.stack([label.keypoint_weights for label in labels]),
            object_logits,
            objects,
            action_logits,
            actions,
            valid,
        )
        return losses | dict(acc_action=(action_logits.argmax(1) == actions).float().mean())

    @torch.no_grad()
    def predict(
        self, feats: tuple[Tensor, Tensor], batch_data_samples: Sequence[PoseDataSample], test_cfg: dict | None = None
    ) -> tuple[list[InstanceData], np.ndarray]:
        """Return predictions as NumPy arrays.

        Returns:
            For each clip ``keypoints`` (T, J, 2) in pixels of the input, ``keypoints_3d`` (T, J, 3) in metres and
            ``object_scores`` (T, n_o); and the probabilities of actions (B, n_a).
        """
        raw, objects, actions = self.forward(*feats)
        cameras = self._cameras(batch_data_samples)
        pixels = self.decoder.to_pixels(raw, cameras)
        results = pixels[..., :2], self.decoder.to_points(pixels, cameras), objects.float().softmax(-1)
        fields = zip(*(result.cpu().numpy() for result in results), strict=True)
        instances = [InstanceData(keypoints=uv, keypoints_3d=xyz, object_scores=o) for uv, xyz, o in fields]
        return instances, actions.float().softmax(-1).cpu().numpy()

    def _cameras(self, batch_data_samples: Sequence[PoseDataSample]) -> Tensor:
        """Intrinsics (B, 1, 3, 3)."""
        cameras = [sample.metainfo.get('camera') for sample in batch_data_samples]
        for camera in cameras:
            if np.shape(camera) != (3, 3):
                got = 'none' if camera is None else f'shape {np.shape(camera)}'
                raise ValueError(f'camera: expected intrinsics of shape (3, 3) in each sample, got {got}')
        return torch.from_numpy(np.stack(cameras)).float().to(self.action_token.device)[:, None]

    def _classes(self, batch_data_samples: Sequence[PoseDataSample], name: str, number: int) -> Tensor:
        """Labels (B,) of an action or object."""
        labels = [sample.metainfo[name] for sample in batch_data_samples]
        for label in labels:
            if not 0 <= label < number:
                raise ValueError(
                    f'{name}: expected a label from 0 to {number - 1} (num_{name}s: {number}), got {label}'
                )
        return torch.tensor(labels, device=self.action_token.device)
