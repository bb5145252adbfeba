"""One hand in several views at once (HaMuCo): its mesh in each view, and its place in the world."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from handkp_plugins.evaluation.triangulation import optimal_center, reprojection_errors
from handkp_plugins.structures.crops import to_image_space
from handkp_plugins.structures.images import check_image

from .hand_mesh import HandMesh
from .inference import check_boxes


@dataclass(frozen=True)
class ViewGroup:
    """What all views say together."""

    keypoints: np.ndarray  # (V, 21, 2) of the cross-view network, pixels of the images
    meshes: list[HandMesh]  # the fused hand in each view
    keypoints_3d: np.ndarray  # (21, 3) in the world, in the unit of the cameras; NaN with one view alone
    errors: np.ndarray  # (V, 21) pixels from ``keypoints`` to the projection of ``keypoints_3d``


def predict_views(
    model: nn.Module,
    images: Sequence[np.ndarray],
    bboxes: np.ndarray,
    rotations: np.ndarray,
    projections: np.ndarray,
) -> ViewGroup:
    """Find one right hand in the images of V cameras, taken at the same moment.

    The fused hand is moved onto the 2D keypoints of all views, and scaled: its size cannot be known from 2D labels.

    Args:
        model: From :func:`~.inference.init_model`, a network with both networks of HaMuCo.
        images: BGR, uint8, without lens distortion.
        bboxes: (V, 4) x1, y1, x2, y2 in pixels of each image.
        rotations: (V, 3, 3) from the world to the cameras.
        projections: (V, 3, 4) from the world to pixels.

    Raises:
        ValueError: Numbers of views differ, an image or a box is wrong, or the network knows single views only.
    """
    if not 0 < len(images) == len(bboxes) == len(rotations) == len(projections):
        raise ValueError(
            f'images, bboxes, rotations, projections: expected one for each view, got {len(images)}, {len(bboxes)}, '
            f'{len(rotations)}, {len(projections)}'
        )
    if getattr(model.head, 'cross', None) is None:
        raise ValueError('model: expected HaMuCoHead with cross_view, got a network of single views')
    init_default_scope(model.cfg.get('default_scope', 'mmpose'))
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    samples = []
    for view, (image, box) in enumerate(zip(images, bboxes, strict=True)):
        check_image(image)
        box = check_boxes(np.asarray(box)[None], image.shape[1], image.shape[0])
        place = dict(frame_id=0, view_id=view, view_rotation=np.asarray(rotations[view], np.float32))
        samples.append(pipeline(dict(img=image, bbox=box, bbox_score=np.ones(1), **place, **model.dataset_meta)))
    with torch.no_grad():
        found = model.test_step(pseudo_collate(samples))
    faces = model.head.hand_layer.faces.cpu().numpy()
    keypoints = np.stack([
        to_image_space(f.pred_instances.multi_view_keypoints[0], f.input_center, f.input_scale, f.input_size)
        for f in found
    ])  # fmt: skip
    meshes = [_fused_mesh(f.pred_instances, pixels, faces) for f, pixels in zip(found, keypoints, strict=True)]
    if len(images) == 1:
        return ViewGroup(keypoints, meshes, np.full((21, 3), np.nan), np.full((1, 21), np.nan))
    world = meshes[0].keypoints_3d @ rotations[0]
    placed = optimal_center(world, keypoints, projections, with_size=True)
    return ViewGroup(keypoints, meshes, placed, reprojection_errors(placed, keypoints, projections))


def _fused_mesh(found: object, pixels: np.ndarray, faces: np.ndarray) -> HandMesh:
    """Return the fused hand, with the camera that fits the view's keypoints by least squares."""
    points = found.fused_keypoints_3d[0, :, :2]
    spread = points - points.mean(0)
    scale = float((spread * (pixels - pixels.mean(0))).sum() / np.square(spread).sum())
    return HandMesh(
        vertices=found.fused_vertices[0],
        faces=faces,
        keypoints_3d=found.fused_keypoints_3d[0],
        rotations=found.rotations[0],
        shape=found.shape[0],
        scale=scale,
        center=pixels.mean(0) - scale * points.mean(0),
    )
