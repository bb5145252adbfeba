"""Find the keypoints of hands in images."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.apis import inference_topdown
from mmpose.apis import init_model as build_model
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.structures.utils import revert_heatmap
from torch import nn

from handkp_plugins.engine.checkpoint.pretrained import use_safe_loaders
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.shipped import config_file, weights_file
from handkp_plugins.engine.checkpoint.weights import load_weights, warn_of_other_network
from handkp_plugins.engine.config import load_config
from handkp_plugins.structures.boxes import mirror_boxes
from handkp_plugins.structures.images import check_image

from .hand_mesh import mesh_of


def resolve_device(device: str = 'auto') -> str:
    """Return the device to compute on: ``auto`` is the first GPU, or else the CPU.

    Raises ValueError if torch does not know the name, or there is no GPU.
    """
    if device == 'auto':
        return 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ValueError(f"device: expected 'auto', 'cpu' or 'cuda:N', got {device!r}") from None
    if kind == 'cuda' and not torch.cuda.is_available():
        raise ValueError(f"device: expected 'auto' or 'cpu' where no GPU is found, got {device!r}")
    return device


def init_model(
    config: str | Path | Config, checkpoint: str | Path, device: str = 'auto', output_heatmaps: bool = False
) -> nn.Module:
    """Build the network of a config, in evaluation mode, with the weights of a checkpoint.

    Args:
        config: A config file or a loaded config.
        checkpoint: A file, or ``handkp://NAME`` for shipped weights. Nothing but weights is read from it.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        output_heatmaps: Let :func:`predict` return heatmaps, too.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        CheckpointError: The checkpoint is damaged, or of another network.
        ValueError: The config is of a detector or has no training data, or there is no such device or name.
    """
    device = resolve_device(device)
    config = copy.deepcopy(config) if isinstance(config, Config) else load_config(config)
    model = config.get('model') or {}
    if {'bbox_head', 'roi_head'} & set(model):
        raise ValueError(f'{config.filename}: expected a network of keypoints, got a detector, {model.get("type")}')
    # In this case MMPose would take the 17 keypoints of a body.
    if dataset_meta_from_config(config, 'train') is None or 'test_dataloader' not in config:
        raise ValueError(
            f'{config.filename}: expected train_dataloader with a dataset that names its keypoints, and '
            'test_dataloader with the pipeline of an image, got a config without'
        )
    if output_heatmaps:
        config.model['test_cfg'] = dict(config.model.get('test_cfg') or {}, output_heatmaps=True)
    use_safe_loaders()
    model = build_model(config, None, device)
    stored = read_checkpoint(str(checkpoint), map_location='cpu')
    load_weights(model, stored, str(checkpoint))
    warn_of_other_network(stored, config, str(checkpoint))
    return model


def init_shipped_model(weights: str = 'lite', device: str = 'auto', output_heatmaps: bool = False) -> nn.Module:
    """As :func:`init_model`, for shipped weights, which know their config."""
    file = weights_file(weights)
    return init_model(config_file(file), file, device, output_heatmaps)


def predict(
    model: nn.Module, image: np.ndarray, bboxes: np.ndarray, batch_size: int = 32, mirror: bool = False
) -> list[dict[str, Any]]:
    """Find the keypoints of the hand in each box.

    Args:
        model: From :func:`init_model`.
        image: BGR, uint8, [H, W, 3].
        bboxes: (x1, y1, x2, y2) in pixels, [N, 4]. Without boxes there are no results.
        batch_size: Number of boxes that go through the network at once.
        mirror: Whether these are left hands, which a network for right hands sees mirrored.

    Returns:
        For each box ``bbox`` [4], ``keypoints`` [K, 2] in pixels of the image and ``scores`` [K]; with
        ``output_heatmaps`` also ``heatmap`` [H, W]: the largest value over the keypoints, 0 outside the crop; of a
        network of meshes ``mesh``, a :class:`~.hand_mesh.HandMesh`.

    Raises:
        ValueError: The image or a box has a wrong type or shape, or a box is empty or outside the image.
    """
    check_image(image)
    bboxes = check_boxes(bboxes, image.shape[1], image.shape[0])
    width, results = image.shape[1], []
    seen = np.ascontiguousarray(image[:, ::-1]) if mirror else image
    for start in range(0, len(bboxes), batch_size):
        chunk = bboxes[start : start + batch_size]
        boxes = mirror_boxes(chunk, width) if mirror else chunk
        for bbox, sample in zip(chunk, inference_topdown(model, seen, boxes), strict=True):
            found = sample.pred_instances
            points = found.keypoints[0, :, :2]
            points = np.float32([width - 1, 0]) + points * np.float32([-1, 1]) if mirror else points
            result = dict(bbox=bbox, keypoints=points, scores=found.keypoint_scores[0])
            if 'weak_camera' in found:
                mesh = mesh_of(sample, model.head.hand_layer.faces.cpu().numpy())
                result['mesh'] = mesh.mirror(width) if mirror else mesh
            if 'pred_fields' in sample:
                largest = sample.pred_fields.heatmaps.amax(0).float()
                heatmap = revert_heatmap(largest, sample.input_center, sample.input_scale, image.shape[:2])
                result['heatmap'] = heatmap[:, ::-1] if mirror else heatmap
            results.append(result)
    return results


def predict_each(model: nn.Module, images: Sequence[np.ndarray], bboxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find one hand in each of N images of any sizes, in one batch; ``bboxes`` are [N, 4].

    Returns keypoints in pixels of their images, [N, K, 2], and scores, [N, K]. Otherwise as :func:`predict`.
    """
    if not 0 < len(images) == len(bboxes):
        raise ValueError(f'bboxes: expected one for each image, got {len(bboxes)} for {len(images)} images')
    init_default_scope(model.cfg.get('default_scope', 'mmpose'))
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    samples = []
    for image, bbox in zip(images, bboxes, strict=True):
        check_image(image)
        box = check_boxes(np.asarray(bbox)[None], image.shape[1], image.shape[0])
        samples.append(pipeline(dict(img=image, bbox=box, bbox_score=np.ones(1, np.float32), **model.dataset_meta)))
    with torch.no_grad():
        found = [sample.pred_instances for sample in model.test_step(pseudo_collate(samples))]
    return np.stack([f.keypoints[0, :, :2] for f in found]), np.stack([f.keypoint_scores[0] for f in found])


def check_boxes(bboxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the boxes as float32 [N, 4]; raises ValueError for the first bad one."""
    bboxes = np.asarray(bboxes, dtype=np.float32)
    if bboxes.size == 0:
        return np.zeros((0, 4), np.float32)
    if bboxes.ndim != 2 or bboxes.shape[1] != 4:
        raise ValueError(f'bboxes: expected shape (N, 4), got {bboxes.shape}')
    empty = ~(np.isfinite(bboxes).all(1) & (bboxes[:, :2] < bboxes[:, 2:]).all(1))
    outside = (bboxes[:, 2:] <= 0).any(1) | (bboxes[:, :2] >= (width, height)).any(1)
    for bad, what in ((empty, 'x1 < x2 and y1 < y2'), (outside, f'boxes that touch the image of {width}x{height} px')):
        if bad.any():
            raise ValueError(f'bboxes: expected {what}, got {bboxes[bad][0].tolist()} for box {bad.argmax()}')
    return bboxes
