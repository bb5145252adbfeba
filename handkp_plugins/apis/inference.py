"""Keypoints of the hands in one image, from a config and a checkpoint."""

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
from handkp_plugins.structures.images import check_image


def resolve_device(device: str = 'auto') -> str:
    """The device to compute on: ``auto`` is the first GPU where there is one, else the CPU.

    Raises:
        ValueError: the name is none that torch knows, or asks for a GPU that is not there.
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

    Nothing but weights is read from the checkpoint: the network and the keypoints' names come from the config.

    Args:
        config: a config file or a loaded config; it is not modified.
        checkpoint: a file written by training, or ``handkp://NAME`` for weights that the package ships. Every weight
            of the network must be in it, with its shape.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        output_heatmaps: let :func:`predict` return heatmaps too.

    Raises:
        FileNotFoundError: there is no such config or checkpoint.
        CheckpointError: the checkpoint is damaged, or of another network.
        ValueError: the config is that of a detector, or names no training data, the device is not there, or no weights
            of that name are shipped.
    """
    device = resolve_device(device)
    config = copy.deepcopy(config) if isinstance(config, Config) else load_config(config)
    model = config.get('model') or {}
    if {'bbox_head', 'roi_head'} & set(model):
        raise ValueError(
            f'{config.filename}: expected a network of keypoints here, got a detector, {model.get("type")}'
        )
    # MMPose would quietly take the 17 keypoints of a body in this case
    if dataset_meta_from_config(config, 'train') is None or 'test_dataloader' not in config:
        raise ValueError(
            f'{config.filename}: expected train_dataloader with a dataset that names its keypoints, and '
            'test_dataloader for the pipeline of an image'
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
    """As :func:`init_model`, by the name of weights that the package ships; their config is found by them.

    Raises:
        ValueError: there are no such weights; lists those that there are.
    """
    file = weights_file(weights)
    return init_model(config_file(file), file, device, output_heatmaps)


def predict(model: nn.Module, image: np.ndarray, bboxes: np.ndarray, batch_size: int = 32) -> list[dict[str, Any]]:
    """Find the keypoints of the hand in each box.

    Args:
        model: from :func:`init_model`.
        image: BGR, uint8, [H, W, 3].
        bboxes: (x1, y1, x2, y2) in pixels, [N, 4]. Without boxes there are no results: the whole image is never
            taken in their place.
        batch_size: boxes that go through the network at once.

    Returns:
        For each box ``bbox`` [4], ``keypoints`` [K, 2] in pixels of the image and ``scores`` [K]; where the model was
        made with ``output_heatmaps``, also ``heatmap`` [H, W]: the largest value over the keypoints, 0 outside the
        network's view.

    Raises:
        ValueError: the image or the boxes have a wrong type or shape, or a box is empty, not finite or wholly
            outside the image.
    """
    check_image(image)
    bboxes = checked_boxes(bboxes, image.shape[1], image.shape[0])
    results = []
    for start in range(0, len(bboxes), batch_size):
        for bbox, sample in zip(
            bboxes[start : start + batch_size],
            inference_topdown(model, image, bboxes[start : start + batch_size]),
            strict=True,
        ):
            found = sample.pred_instances
            result = dict(bbox=bbox, keypoints=found.keypoints[0, :, :2], scores=found.keypoint_scores[0])
            if 'pred_fields' in sample:
                result['heatmap'] = revert_heatmap(
                    sample.pred_fields.heatmaps.amax(0).float(),
                    sample.input_center,
                    sample.input_scale,
                    image.shape[:2],
                )
            results.append(result)
    return results


def predict_each(model: nn.Module, images: Sequence[np.ndarray], bboxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find one hand in each of several images, in one batch.

    Args:
        model: from :func:`init_model`.
        images: BGR, uint8, [H, W, 3] each, of any sizes.
        bboxes: (x1, y1, x2, y2) of the hand in each image, [N, 4].

    Returns:
        Keypoints in pixels of their images, [N, K, 2], and scores, [N, K].

    Raises:
        ValueError: as :func:`predict`; or there are not as many boxes as images, or none.
    """
    if not 0 < len(images) == len(bboxes):
        raise ValueError(f'bboxes: expected one for each image, got {len(bboxes)} for {len(images)} images')
    init_default_scope(model.cfg.get('default_scope', 'mmpose'))
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    samples = []
    for image, bbox in zip(images, bboxes, strict=True):
        check_image(image)
        box = checked_boxes(np.asarray(bbox)[None], image.shape[1], image.shape[0])
        samples.append(pipeline(dict(img=image, bbox=box, bbox_score=np.ones(1, np.float32), **model.dataset_meta)))
    with torch.no_grad():
        found = [sample.pred_instances for sample in model.test_step(pseudo_collate(samples))]
    return np.stack([f.keypoints[0, :, :2] for f in found]), np.stack([f.keypoint_scores[0] for f in found])


def checked_boxes(bboxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """The boxes as float32 [N, 4]; raises ValueError that names the first bad one."""
    bboxes = np.asarray(bboxes, dtype=np.float32)
    if bboxes.size == 0:
        return np.zeros((0, 4), np.float32)
    if bboxes.ndim != 2 or bboxes.shape[1] != 4:
        raise ValueError(f'bboxes: expected shape (N, 4), got {bboxes.shape}')
    for i, (x1, y1, x2, y2) in enumerate(bboxes):
        if not (np.isfinite([x1, y1, x2, y2]).all() and x1 < x2 and y1 < y2):
            raise ValueError(f'bboxes: expected x1 < x2 and y1 < y2, got {bboxes[i].tolist()} for box {i}')
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            size = f'{width}x{height}'
            raise ValueError(f'bboxes: expected boxes that touch the image of {size} px, got {bboxes[i].tolist()}')
    return bboxes
