"""Views of one hand from known cameras, for tests of HaMuCo."""

import json
from pathlib import Path

import cv2
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


def seen_hands(
    frames: int, views: int, seed: int = 0, spread: float = 0.3, turn: float | None = None, shapes: float = 1.0
) -> tuple[Hands, Tensor]:
    """One hand a frame, seen by ``views`` cameras: the true hands of all images, and rotations (N, 3, 3).

    Cameras are anywhere around it, or turned about the axes by angles of deviation ``turn``, in radians. ``shapes`` is
    the deviation of the shapes.
    """
    generator = torch.Generator().manual_seed(seed)
    layer, count = HandLayer(), frames * views
    fingers = roma.rotvec_to_rotmat(spread * torch.randn(frames, 1, 16, 3, generator=generator))
    if turn is None:
        cameras = random_rotations(frames, views, seed=seed + 1)
    else:
        cameras = roma.rotvec_to_rotmat(turn * torch.randn(frames, views, 3, generator=generator))
    rotations = fingers.repeat(1, views, 1, 1, 1)
    rotations[:, :, 0] = cameras @ rotations[:, :, 0]
    rotations = rotations.flatten(0, 1)
    shape = shapes * torch.randn(frames, 1, 10, generator=generator).repeat(1, views, 1).flatten(0, 1)
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


def write_views(folder: Path, frames: int, views: int, size: int = 64, pinhole: bool = False) -> None:
    """Write images, of noise, and ``ann.json`` of true labels of one hand a frame.

    Labels are projected by weak perspective, as the network does, or as the pinhole cameras see the hand.
    """
    hands, rotations = seen_hands(frames, views)
    images, annotations = [], []
    rng = np.random.default_rng(0)
    for i, points in enumerate(hands.points[:, -21:].numpy() + [0, 0, 0.7]):
        cv2.imwrite(str(folder / f'{i}.jpg'), rng.integers(0, 255, (size, size, 3), np.uint8))
        camera = dict(K=[[size, 0, size / 2], [0, size, size / 2], [0, 0, 1]], R=rotations[i].tolist(), t=[0, 0, 0.7])
        place = dict(frame_id=i // views, view_id=i % views)
        images.append(dict(id=i, file_name=f'{i}.jpg', width=size, height=size, camera=camera, **place))
        pixels = size * (hands.projected[i].numpy() + 1) / 2
        if pinhole:
            pixels = (points @ np.array(camera['K']).T)[:, :2] / points[:, 2:]
        labels = np.concatenate([pixels, np.ones((21, 1))], 1)
        annotations.append(
            dict(
                id=i, image_id=i, category_id=1, iscrowd=0, area=size * size, bbox=[0, 0, size, size],
                handedness='right', keypoints_3d=points.tolist(), pseudo_keypoints=labels.tolist(),
            )
        )  # fmt: skip
    data = dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand')])
    (folder / 'ann.json').write_text(json.dumps(data))
