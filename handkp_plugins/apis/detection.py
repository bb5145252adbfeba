"""Find the hands in an image with a detector of MMDetection."""

import copy
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import nn
from torchvision.ops import nms

from handkp_plugins.engine.checkpoint.pretrained import use_safe_loaders
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import load_weights, warn_of_other_network
from handkp_plugins.engine.config import load_config
from handkp_plugins.structures.images import check_image

from .inference import resolve_device

DEFAULT_DETECTOR = 'hand_detector'
"""The shipped weights that find hands by default."""

_SAME_HAND = 0.6  # boxes of two classes (left and right hand) with a larger IoU are one hand
_SMALLEST = 2  # px: sides of a box after it is clipped to the image


class Detections(NamedTuple):
    """N hands by falling score: boxes (x1, y1, x2, y2) inside the image, float32 [N, 4]; scores [N]; and sides, 'left',
    'right', or None if the classes of the detector do not tell."""

    boxes: np.ndarray
    scores: np.ndarray
    sides: list[str | None]


def init_detector(
    config: str | Path | Config, checkpoint: str | Path, device: str = 'auto', score_thr: float = 0.3
) -> 'HandDetector':
    """Build the detector of a config with the weights of a checkpoint; ``score_thr`` is the lowest score of a box.

    Other arguments and errors are those of :func:`~handkp_plugins.apis.inference.init_model`; a ValueError also says
    that the config is not of a detector, or has no class of hands.
    """
    cfg = copy.deepcopy(config) if isinstance(config, Config) else load_config(config)
    use_safe_loaders()
    detector = HandDetector(build_detector(cfg, resolve_device(device)), score_thr)
    stored = read_checkpoint(str(checkpoint))
    load_weights(detector.model, stored, str(checkpoint))
    warn_of_other_network(stored, cfg, str(checkpoint))
    return detector


class HandDetector:
    """A network of :func:`build_detector`: an image (BGR, uint8, [H, W, 3]) → :class:`Detections` of ``score_thr`` or
    more. Raises ValueError if none of the classes is a hand."""

    def __init__(self, model: nn.Module, score_thr: float = 0.3) -> None:
        if not 0 <= score_thr < 1:
            raise ValueError(f'score_thr: expected a number from 0 to below 1, got {score_thr}')
        self.model, self.score_thr = model, score_thr
        self._sides = hand_classes(model.cfg, _num_classes(model))
        self._pipeline = _pipeline(model.cfg)

    def __call__(self, image: np.ndarray) -> Detections:
        """Find the hands in an image."""
        from mmdet.apis import inference_detector  # MMDetection is optional

        check_image(image)
        with DefaultScope.overwrite_default_scope('mmdet'), warnings.catch_warnings():
            # MMDetection calls functions that torch will change; a user cannot change that.
            warnings.filterwarnings('ignore', r'torch\.meshgrid')
            warnings.simplefilter('ignore', FutureWarning)
            found = inference_detector(self.model, image, self._pipeline).pred_instances.cpu()
        height, width = image.shape[:2]
        boxes = found.bboxes.float()
        boxes[:, 0::2].clamp_(0, width)
        boxes[:, 1::2].clamp_(0, height)
        keep = (found.scores >= self.score_thr) & ((boxes[:, 2:] - boxes[:, :2]) >= _SMALLEST).all(1)
        keep &= torch.isin(found.labels, torch.tensor(list(self._sides)))
        boxes, scores, labels = boxes[keep], found.scores[keep].float(), found.labels[keep]
        order = nms(boxes, scores, _SAME_HAND)
        sides = [self._sides[label] for label in labels[order].tolist()]
        return Detections(boxes[order].numpy(), scores[order].numpy(), sides)


def build_detector(cfg: Config, device: str) -> nn.Module:
    """Build the network of a detector's config with random weights, in evaluation mode.

    Raises ValueError if the config is not of a detector, or has no test pipeline.
    """
    model = cfg.get('model') or {}
    if not {'bbox_head', 'roi_head'} & set(model) or 'test_dataloader' not in cfg:
        raise ValueError(
            f"{cfg.filename}: expected a detector's config, with a model of MMDetection that has a bbox_head or "
            f'roi_head, and test_dataloader, got the model {model.get("type")}'
        )
    from mmdet.registry import MODELS
    from mmengine.model import revert_sync_batchnorm

    with DefaultScope.overwrite_default_scope('mmdet'):
        if 'backbone' in model:
            model.backbone.init_cfg = None  # no download
        network = revert_sync_batchnorm(MODELS.build(model))
    network.cfg = cfg
    return network.to(device).eval()


def hand_classes(cfg: Config, num_classes: int) -> dict[int, str | None]:
    """Return the labels that are hands, each with 'left', 'right' or None. A single class of any name is hands.

    Raises ValueError if there are several classes, and none has hand in its name in the config's test data.
    """
    names = _class_names(cfg)
    words = [set(re.split(r'[\W_]+', name.lower())) for name in names]
    sides = [next(iter(found)) if len(found := w & {'left', 'right'}) == 1 else None for w in words]
    if num_classes == 1:
        return {0: sides[0] if len(names) == 1 else None}
    hands = {i: side for i, side in enumerate(sides) if words[i] & {'hand', 'hands'}}
    if hands and len(names) == num_classes:
        return hands
    raise ValueError(
        f'{cfg.filename}: expected a detector of hands, with one class or with one such as left_hand in '
        f'test_dataloader.dataset.metainfo.classes, got {num_classes} classes'
        + (f': {", ".join(names[:5])}{" …" if len(names) > 5 else ""}' if names else ' without names')
    )


def _class_names(cfg: Config) -> list[str]:
    dataset = cfg.test_dataloader.dataset
    while 'metainfo' not in dataset and ('dataset' in dataset or dataset.get('datasets')):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    classes = (dataset.get('metainfo') or {}).get('classes') or ()
    return [classes] if isinstance(classes, str) else [str(c) for c in classes]


def _num_classes(model: nn.Module) -> int:
    head = model.roi_head.bbox_head if hasattr(model, 'roi_head') else model.bbox_head
    return (head[-1] if isinstance(head, nn.ModuleList) else head).num_classes


def _pipeline(cfg: Config) -> Compose:
    """The test pipeline of a config, for an image in memory."""
    from mmdet.utils import get_test_pipeline_cfg

    steps = copy.deepcopy(get_test_pipeline_cfg(cfg))
    steps[0] = dict(type='mmdet.LoadImageFromNDArray')
    with DefaultScope.overwrite_default_scope('mmdet'):
        return Compose(steps)
