"""The data preprocessor that turns hands with coverage into photographs, in batches and on the model's device."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from .background_bank import BackgroundBank, Backgrounds
from .camera import Camera
from .draws import Draws
from .layering import Layering

_CPU_PIXELS = 1 << 19
"""Pixels that a CPU composites at once."""


@MODELS.register_module()
class HandCompositor(PoseDataPreprocessor):
    """MMPose's ``PoseDataPreprocessor`` that gives pictures with coverage a background, and a camera to all.

    - Pictures of 4 channels, B, G, R and coverage, get a background (:class:`Backgrounds`), meet it
      (:class:`Layering`) and pass a camera (:class:`Camera`).
    - Pictures of 3 channels pass the camera in training. In evaluation they are those of ``PoseDataPreprocessor``.
    - A batch may hold both. All leave with 3 channels.

    In training, random numbers come from PyTorch's global generators. In evaluation, what happens to a picture depends
    on its ``img_id`` alone, milder changes are made, and the backgrounds are others than in training. Nothing of it is
    kept in checkpoints. It is computed in float32 whatever the precision around it.

    Args:
        backgrounds: Arguments of :class:`Backgrounds`.
        layering: Arguments of :class:`Layering`.
        camera: Arguments of :class:`Camera`.
        **kwargs: Those of ``PoseDataPreprocessor``: ``mean``, ``std``, ``bgr_to_rgb``, ….

    Raises:
        ValueError: An unknown argument, a share outside 0 to 1; in use: pictures of different sizes, with other than 3
            or 4 channels, or in evaluation without ``img_id``.
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
        self.camera = _options(Camera, 'camera', camera)

    def forward(self, data: dict, training: bool = False) -> dict:
        """As ``PoseDataPreprocessor``: a collated batch of uint8 pictures → normalised ``inputs`` (B, 3, h, w)."""
        data = self.cast_data(data)
        pictures = list(data['inputs'])
        channels = {len(p) for p in pictures}
        if channels == {3} and not training:
            return super().forward(data, training)
        if not channels <= {3, 4} or len({p.shape[1:] for p in pictures}) != 1:
            raise ValueError(
                'inputs: expected pictures of 3 (BGR) or 4 channels (BGR, coverage) and of one size, got '
                f'{sorted({tuple(p.shape) for p in pictures})}'
            )
        ids = None if training else [_img_id(s) for s in data['data_samples']]
        device_type = pictures[0].device.type
        # a CPU is twice as quick where the intermediate results stay in its caches and in memory that it holds already
        step = len(pictures) if device_type != 'cpu' else max(2, _CPU_PIXELS // pictures[0][0].numel())
        with torch.no_grad(), torch.autocast(device_type, enabled=False):
            parts = [
                self._compose(pictures[i : i + step], ids and ids[i : i + step], training)
                for i in range(0, len(pictures), step)
            ]
        return super().forward(dict(data, inputs=torch.cat(parts)), training)

    def _compose(self, pictures: list[Tensor], ids: list | None, training: bool) -> Tensor:
        """Pictures of 3 or 4 channels (h, w), uint8 → (B, 3, h, w), BGR, 0…255."""
        layers = [i for i, p in enumerate(pictures) if len(p) == 4]
        if len(layers) == len(pictures):
            images = self._layered(torch.stack(pictures), ids, training)
        else:
            images = torch.stack([p[:3] for p in pictures]).float().div_(255)
            if layers:
                own = None if ids is None else [ids[i] for i in layers]
                images[layers] = self._layered(torch.stack([pictures[i] for i in layers]), own, training)
        if training:
            images = self.camera(images, Draws(len(images), None, images.device))
        return images.mul_(255)

    def _layered(self, layers: Tensor, ids: list | None, training: bool) -> Tensor:
        """Layers (N, 4, h, w), uint8 → pictures (N, 3, h, w), 0…1; in evaluation as the camera gives them."""
        draws = Draws(len(layers), ids, layers.device)
        layers = layers.float().div_(255)
        behind = self.bank.draw(draws, *layers.shape[2:], training)
        layering = self.layering if training else self.layering.mild()
        images = layering(layers[:, :3], layers[:, 3:], behind, draws)
        return images if training else self.camera.mild()(images, draws)


def _img_id(sample: PoseDataSample) -> Any:
    img_id = sample.metainfo.get('img_id')
    if img_id is None:
        raise ValueError(
            'data_samples: in evaluation a picture with coverage needs img_id, on which its background depends, '
            f'got none for {sample.metainfo.get("img_path", "a picture")}'
        )
    return img_id


def _options(kind: type, name: str, given: Mapping[str, Any] | None) -> Any:
    """An options class filled from a config; its floats that default to a share must be one."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in (given or {}).items()}
    known = [f.name for f in fields(kind)]
    if unknown := set(given) - set(known):
        raise ValueError(f'{name}: expected {", ".join(known)}, got {", ".join(sorted(unknown))}')
    options = kind(**given)
    wrong = {f.name: getattr(options, f.name) for f in fields(kind)
             if isinstance(f.default, float) and not 0 <= getattr(options, f.name) <= 1}  # fmt: skip
    if wrong:
        raise ValueError(f'{name}: expected numbers from 0 to 1 for these, got {wrong}')
    return options
