"""The head of HaMuCo: a 3D hand from one image, and from several views of the same hand."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import roma
import torch
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..hand_layers import HandLayer
from ..layers import CrossViewNet, JointFeatures, align_views
from ..losses.hamuco_loss import UNIT, Hands

ROOT = 9
"""The keypoint in the middle of the hand's coordinates: the MCP joint of the middle finger."""
_SIZES = (96, 10, 3)  # rotations (16 × 3 × 2), shape, camera
_SCALE = 4.0  # of the first camera, 1/m: a scale near 0 has no gradient


@MODELS.register_module()
class HaMuCoHead(BaseHead):
    """Hands of single views, and of all views of a frame together (HaMuCo, ICCV 2023).

    The **single-view** network predicts rotations, shape and camera of a hand from the last feature map, and
    :class:`HandLayer` makes the mesh. The **cross-view** network takes what each view found
    (:class:`~..layers.cross_view.JointFeatures`), lets the views exchange it
    (:class:`~..layers.cross_view.CrossViewNet`) and predicts rotations and camera of each view again; the shape is that
    of the single view. Only the first one is needed for a single image. Labels are 2D keypoints with confidences
    (:class:`HaMuCoLoss`).

    The views of a frame stand in a row in the batch (:class:`ViewGroupSampler`); samples with the same ``frame_id`` are
    one frame. ``view_rotation`` (3, 3) in the samples' meta information is the rotation from the world to the camera of
    the crop; without it views are aligned by Procrustes.

    Letters: N images, B frames, V views, P points.

    Args:
        in_channels: Channels of the feature maps at strides 4, 8, 16 and 32.
        input_size: [W, H] of the input, a square.
        hand: Arrays of :class:`HandLayer`: ``'open'``, or the path of a MANO file.
        cross_view: Whether there is the cross-view network. Without it, the single-view network learns from the labels
            alone.
        attention, shared: Parts of :class:`~..layers.cross_view.CrossViewNet`, for ablations.
        extrinsics: Whether to use ``view_rotation``.
        teach_from: First epoch, counted from 0, in which the losses between views count.
        loss: :class:`HaMuCoLoss` and its arguments.
        init_cfg: As in every MMEngine module.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 128, 256, 512),
        input_size: tuple[int, int] = (256, 256),
        hand: str = 'open',
        cross_view: bool = True,
        attention: bool = True,
        shared: bool = True,
        extrinsics: bool = True,
        teach_from: int = 0,
        loss: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != 4:
            raise ValueError(f'in_channels: expected four, of strides 4, 8, 16 and 32, got {tuple(in_channels)}')
        self.decoder = KEYPOINT_CODECS.build(dict(type='WeakPerspectiveLabel', input_size=input_size))
        size = self.decoder.input_size[0]
        if size % 32:
            raise ValueError(f'input_size: expected a multiple of 32, got {tuple(input_size)}')
        self.extrinsics, self.teach_from = extrinsics, teach_from
        self.hand_layer = HandLayer(hand)
        c = in_channels[-1]
        self.single = nn.ModuleList(
            nn.Sequential(nn.Linear(c, c), nn.LeakyReLU(0.1), nn.Linear(c, number)) for number in _SIZES
        )
        self.features = JointFeatures(tuple(in_channels), size) if cross_view else None
        self.cross = CrossViewNet(self.features.channels, sum(_SIZES), 21, attention, shared) if cross_view else None
        self.loss_module = MODELS.build(loss or dict(type='HaMuCoLoss'))
        with torch.no_grad():
            start = torch.cat([torch.eye(3)[:, :2].flatten().repeat(16), torch.zeros(10), torch.tensor([_SCALE, 0, 0])])
            for last, bias in zip((part[-1] for part in self.single), start.split(_SIZES), strict=True):
                last.bias.copy_(bias)
            if self.cross:
                self.cross.regressor[-1].bias.copy_(start)

    def forward(self, feats: tuple[Tensor, ...], num_views: int = 1) -> tuple[Hands, Hands | None]:
        """Feature maps (N, C, h, w) at strides 4, 8, 16, 32 → hands of both networks.

        The V = ``num_views`` images of a frame stand in a row. Without the cross-view network its hands are None.
        """
        pooled = feats[-1].mean((2, 3))  # (N, C)
        pose, shape, camera = (part(pooled).float() for part in self.single)
        single = self._hands(pose, shape, camera)
        if self.cross is None:
            return single, None
        fingers = pose.unflatten(1, (16, 6))[:, 1:].flatten(1)
        locations = torch.cat([single.projected.flatten(1), single.points[:, -21:, 2] / UNIT, fingers], 1)
        graph = self.features(feats, single.projected, locations)  # (N, 21, F)
        found = self.cross(graph.unflatten(0, (-1, num_views))).flatten(0, 1).float()  # (N, 109)
        pose, _, camera = found.split(_SIZES, 1)
        return single, self._hands(pose, single.shape.detach(), camera)

    def _hands(self, pose: Tensor, shape: Tensor, camera: Tensor) -> Hands:
        """Rotations in 6D (N, 96), shape (N, 10), camera before its ReLU (N, 3) → hands, in float32."""
        with torch.autocast(pose.device.type, enabled=False):
            rotations = roma.special_gramschmidt(pose.unflatten(1, (16, 3, 2)))  # (N, 16, 3, 3)
            points = torch.cat(self.hand_layer(self.hand_layer.add_mean_pose(rotations), shape), 1)  # (N, P, 3)
            points = points - points[:, ROOT - 21, None]
            camera = torch.cat([camera[:, :1].relu(), camera[:, 1:]], 1)
            return Hands(rotations, shape, camera, points, self.decoder.project(points[:, -21:], camera))

    def loss(
        self, feats: tuple[Tensor, ...], batch_data_samples: Sequence[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """:class:`HaMuCoLoss`. Samples carry ``keypoint_labels`` and ``keypoint_weights`` of the codec."""
        labels, weights = (
            torch.cat([getattr(sample.gt_instance_labels, name) for sample in batch_data_samples])
            for name in ('keypoint_labels', 'keypoint_weights')
        )
        views = num_views(batch_data_samples)
        single, cross = self.forward(feats, views)
        hub = MessageHub.get_current_instance()  # of the training, so that a validation or a resume changes nothing
        return self.loss_module(
            single,
            cross,
            labels,
            weights,
            views,
            self._rotations(batch_data_samples, labels),
            hub.get_info('iter', 0),
            hub.get_info('epoch', 0) >= self.teach_from,
        )

    @torch.no_grad()
    def predict(
        self, feats: tuple[Tensor, ...], batch_data_samples: Sequence[PoseDataSample], test_cfg: dict | None = None
    ) -> list[InstanceData]:
        """Return predictions as NumPy arrays.

        Returns:
            For each image, with a leading 1, from the single-view network: ``keypoints`` (21, 2) in pixels of the
            input, ``keypoint_scores`` (21,) of 1, and in metres relative to keypoint 9 ``keypoints_3d`` (21, 3) and
            ``vertices`` (V, 3); ``rotations`` (16, 3, 3), ``shape`` (10,) and ``weak_camera`` (3,). From the cross-view
            network ``multi_view_keypoints`` and ``multi_view_keypoints_3d``; and ``fused_keypoints_3d`` and
            ``fused_vertices``, the mean of all views in the axes of this one.
        """
        views = num_views(batch_data_samples)
        single, cross = self.forward(feats, views)
        fields = dict(
            keypoints=self.decoder.decode(single.projected.cpu().numpy())[0],
            keypoints_3d=single.points[:, -21:],
            vertices=single.points[:, :-21],
            rotations=self.hand_layer.add_mean_pose(single.rotations),
            shape=single.shape,
            weak_camera=single.camera,
        )
        if cross is not None:
            rotations = self._rotations(batch_data_samples, cross.points)
            rotations = None if rotations is None else rotations.unflatten(0, (-1, views))
            fused = align_views(cross.points.unflatten(0, (-1, views)), rotations)[0].mean(2).flatten(0, 1)
            fields |= dict(
                multi_view_keypoints=self.decoder.decode(cross.projected.cpu().numpy())[0],
                multi_view_keypoints_3d=cross.points[:, -21:],
                fused_keypoints_3d=fused[:, -21:],
                fused_vertices=fused[:, :-21],
            )
        arrays = {name: v.float().cpu().numpy() if isinstance(v, Tensor) else v for name, v in fields.items()}
        scores = np.ones((1, 21), np.float32)
        return [
            InstanceData(keypoint_scores=scores, **{name: v[i : i + 1] for name, v in arrays.items()})
            for i in range(len(single.points))
        ]

    def _rotations(self, samples: Sequence[PoseDataSample], like: Tensor) -> Tensor | None:
        """Rotations (N, 3, 3) from the world to the cameras; None where they are not used or not known."""
        found = [sample.metainfo.get('view_rotation') for sample in samples]
        if not self.extrinsics or all(rotation is None for rotation in found):
            return None
        for sample, rotation in zip(samples, found, strict=True):
            if np.shape(rotation) != (3, 3):
                got = 'none' if rotation is None else f'shape {np.shape(rotation)}'
                path = sample.metainfo.get('img_path')
                raise ValueError(f'{path}: view_rotation: expected (3, 3) in each view or in none, got {got}')
        return torch.from_numpy(np.stack(found)).to(like)


def num_views(samples: Sequence[PoseDataSample]) -> int:
    """Return V. Samples in a row with the same ``frame_id`` are views of a frame; one without it is a frame of its own.

    Raises:
        ValueError: Frames have different numbers of views.
    """
    frames = [sample.metainfo.get('frame_id', f'image {i}') for i, sample in enumerate(samples)]
    counts = {frame: len(list(views)) for frame, views in groupby(frames)}
    views = next(iter(counts.values()))
    for frame, count in counts.items():
        if count != views or count != frames.count(frame):
            raise ValueError(
                f'frame_id: expected {views} views of each frame in a row, got {count} of frame {frame!r}: '
                'the batch size must be a multiple of num_views of ViewGroupSampler'
            )
    return views
