"""Views of one hand from known cameras, for tests of HaMuCo."""

import numpy as np
import roma
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from handkp_plugins.models.hand_layers import HandLayer
from handkp_plugins.models.losses.hamuco_loss import Hands


def random_rotations(*shape: int, seed: int = 0) -> Tensor:
    """Rotations (*shape, 3, 3), every one as likely."""
    quaternions = torch.randn(*shape, 4, generator=torch.Generator().manual_seed(seed))
    return roma.unitquat_to_rotmat(quaternions / quaternions.norm(dim=-1, keepdim=True))


def seen_hands(frames: int, views: int, seed: int = 0, spread: float = 0.3) -> tuple[Hands, Tensor]:
    """One hand a frame, seen by ``views`` cameras: the true hands of all images, and rotations (N, 3, 3)."""
    generator = torch.Generator().manual_seed(seed)
    layer, count = HandLayer(), frames * views
    fingers = roma.rotvec_to_rotmat(spread * torch.randn(frames, 1, 16, 3, generator=generator))
    cameras = random_rotations(frames, views, seed=seed + 1)
    rotations = fingers.repeat(1, views, 1, 1, 1)
    rotations[:, :, 0] = cameras @ rotations[:, :, 0]
    rotations = rotations.flatten(0, 1)
    shape = torch.randn(frames, 1, 10, generator=generator).repeat(1, views, 1).flatten(0, 1)
    points = torch.cat(layer(layer.add_mean_pose(rotations), shape), 1)
    points = points - points[:, 9 - 21, None]
    camera = torch.tensor([4.0, 0.1, -0.1]).repeat(count, 1)
    projected = 2 * camera[:, None, :1] * points[:, -21:, :2] + camera[:, None, 1:]
    return Hands(rotations, shape, camera, points, projected), cameras.flatten(0, 1)


def samples_of(hands: Hands, views: int, rotations: Tensor | None, size: int) -> list[PoseDataSample]:
    """Samples as the data pipeline packs them, labels without noise."""
    samples = []
    for i in range(len(hands.points)):
        labels = InstanceData(keypoint_labels=hands.projected[i : i + 1], keypoint_weights=torch.ones(1, 21))
        box = InstanceData(bboxes=np.array([[0, 0, size, size]]), bbox_scores=np.ones(1))
        meta = dict(
            frame_id=i // views,
            view_id=i % views,
            keypoints_3d=hands.points[i : i + 1, -21:].numpy(),
            input_size=(size, size),
            input_center=np.array([size / 2, size / 2]),
            input_scale=np.array([size, size]),
            img_path=f'{i}.jpg',
            img_id=i,
        )
        if rotations is not None:
            meta['view_rotation'] = rotations[i].numpy()
        samples.append(PoseDataSample(gt_instance_labels=labels, gt_instances=box, metainfo=meta))
    return samples
