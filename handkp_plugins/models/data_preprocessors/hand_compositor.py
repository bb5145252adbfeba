"""The data preprocessor that puts hands with coverage before backgrounds, in batches and on the model's device."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from .background_bank import BackgroundBank, Backgrounds
from .batch_random import BatchRandom
from .camera_augmentation import CameraAugmentation
from .layering import Layering

_CPU_PIXELS = 1 << 19
"""Pixels that a CPU composites at once."""


@MODELS.register_module()
class HandCompositor(PoseDataPreprocessor):
    """MMPose's ``PoseDataPreprocessor``, which also gives images with coverage a background, and a camera to all.

    - Images of 4 channels, B, G, R and coverage, get a background (:class:`Backgrounds`), meet it
      (:class:`Layering`) and pass a camera (:class:`CameraAugmentation`).
    - Images of 3 channels pass the camera in training. In evaluation they are those of ``PoseDataPreprocessor``.
    - A batch may hold both. All leave with 3 channels.

    In training, random numbers come from PyTorch's global generators. In evaluation, what happens to an image depends
    on its ``img_id`` alone, changes are milder, and the backgrounds are others than in training. Checkpoints hold
    nothing of it. It is computed in float32 even under autocast.

    Args:
        backgrounds, layering, camera: Arguments of these three.
        **kwargs: Those of ``PoseDataPreprocessor``: ``mean``, ``std``, ``bgr_to_rgb``, ….
    """

    def __init__(
        self,
        backgrounds: Mapping[str, Any] | None = None,
        layering: Mapping[str, Any] | None = None,
        camera: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bank = BackgroundBank(_options(Backgrounds, 'backgrounds', backgrounds))
        self.layering = _options(Layering, 'layering', layering)
        self.camera = _options(CameraAugmentation, 'camera', camera)

    def forward(self, data: dict, training: bool = False) -> dict:
        """As ``PoseDataPreprocessor``: a collated batch of uint8 images → normalised ``inputs`` (B, 3, h, w)."""
        data = self.cast_data(data)
        images = list(data['inputs'])
        channels = {len(p) for p in images}
        if channels == {3} and not training:
            return super().forward(data, training)
        if not channels <= {3, 4} or len({p.shape[1:] for p in images}) != 1:
            raise ValueError(
                'inputs: expected images of 3 (BGR) or 4 channels (BGR, coverage) and of one size, got '
                f'{sorted({tuple(p.shape) for p in images})}'
            )
        ids = None if training else [_img_id(s) for s in data['data_samples']]
        device_type = images[0].device.type
        # a CPU is twice as fast on chunks whose intermediate results stay in its caches
        step = len(images) if device_type != 'cpu' else max(2, _CPU_PIXELS // images[0][0].numel())
        with torch.no_grad(), torch.autocast(device_type, enabled=False):
            parts = [
                self._compose(images[i : i + step], ids and ids[i : i + step], training)
                for i in range(0, len(images), step)
            ]
        return super().forward(dict(data, inputs=torch.cat(parts)), training)

    def _compose(self, inputs: list[Tensor], ids: list | None, training: bool) -> Tensor:
        """Images of 3 or 4 channels (h, w), uint8 → (B, 3, h, w), BGR, 0…255."""
        layers = [i for i, image in enumerate(inputs) if len(image) == 4]
        if len(layers) == len(inputs):
            images = self._add_backgrounds(torch.stack(inputs), ids, training)
        else:
            images = torch.stack([image[:3] for image in inputs]).float().div_(255)
            if layers:
                own = ids and [ids[i] for i in layers]
                images[layers] = self._add_backgrounds(torch.stack([inputs[i] for i in layers]), own, training)
        if training:
            images = self.camera(images, BatchRandom(len(images), None, images.device))
        return images.mul_(255)

    def _add_backgrounds(self, layers: Tensor, ids: list | None, training: bool) -> Tensor:
        """Layers (N, 4, h, w), uint8 → images (N, 3, h, w), 0…1; in evaluation as the camera gives them."""
        rng = BatchRandom(len(layers), ids, layers.device)
        layers = layers.float().div_(255)
        background = self.bank.draw(rng, *layers.shape[2:], training)
        layering = self.layering if training else self.layering.mild()
        images = layering(layers[:, :3], layers[:, 3:], background, rng)
        return images if training else self.camera.mild()(images, rng)


def _img_id(sample: PoseDataSample) -> Any:
    img_id = sample.metainfo.get('img_id')
    if img_id is None:
        raise ValueError(
            'data_samples: in evaluation expected img_id, on which the background depends, '
            f'got none for {sample.metainfo.get("img_path", "an image with coverage")}'
        )
    return img_id


def _options(kind: type, name: str, cfg: Mapping[str, Any] | None) -> Any:
    """Fill an options class from a config; its floats must be from 0 to 1."""
    cfg = {k: tuple(v) if isinstance(v, list) else v for k, v in (cfg or {}).items()}
    known = [f.name for f in fields(kind)]
    if unknown := set(cfg) - set(known):
        raise ValueError(f'{name}: expected {", ".join(known)}, got {", ".join(sorted(unknown))}')
    options = kind(**cfg)
    wrong = {f.name: getattr(options, f.name) for f in fields(kind)
             if isinstance(f.default, float) and not 0 <= getattr(options, f.name) <= 1}  # fmt: skip
    if wrong:
        raise ValueError(f'{name}: expected numbers from 0 to 1, got {wrong}')
    return options
