"""Backgrounds for a batch: random views of a bank of images that is made once."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from handkp_plugins.fileio.images import list_photographs
from handkp_plugins.imaging.backgrounds import crop_photograph, generate_background
from handkp_plugins.imaging.geometry import affine_matrices, change_some, per_image, pixel_grid, warp_affine

from .batch_random import BatchRandom

_EVALUATION_SHARE = 8


@dataclass(frozen=True)
class Backgrounds:
    """Which images lie behind the hands.

    Args:
        folder: Photographs to crop at random; None for generated images alone. Of eight photographs or more, every
            eighth serves evaluation only.
        photographs: Share of photographs in the bank, where there is a folder.
        num: Images in the bank for training; evaluation has an eighth as many, different ones.
        size: Their width and height in pixels; from the network's input size on, edges stay sharp.
        seed: Of the bank. It does not follow the seed of the training, so that scores of several can be compared.
        mix: Share of backgrounds made of two images, side by side or blended.
    """

    folder: str | None = None
    photographs: float = 0.7
    num: int = 512
    size: int = 192
    seed: int = 0
    mix: float = 0.25

    def __post_init__(self) -> None:
        if self.num < 1 or self.size < 16:
            raise ValueError(f'backgrounds: expected num from 1 and size from 16, got num={self.num}, size={self.size}')


class BackgroundBank:
    """Makes its images when the first batch asks for them: one bank for training, another one for evaluation.

    It is not a module and has no buffers, so that checkpoints, averaged weights and data-parallel training ignore it.
    """

    def __init__(self, options: Backgrounds) -> None:
        self.options = options
        self._banks: dict[bool, Tensor] = {}

    def images(self, training: bool, device: torch.device) -> Tensor:
        """The bank (M, 3, size, size), BGR, uint8, on a device; FileNotFoundError without a folder of photographs."""
        if training not in self._banks:
            self._banks[training] = self._make(training)
        if self._banks[training].device != device:
            self._banks[training] = self._banks[training].to(device)
        return self._banks[training]

    def draw(self, rng: BatchRandom, height: int, width: int, training: bool) -> Tensor:
        """Backgrounds (N, 3, h, w), BGR, 0…1: random images, cropped, rotated, mirrored and sometimes mixed."""
        bank = self.images(training, rng.device)
        backgrounds = self._views(bank, rng, torch.arange(rng.num), height, width)
        mixed = rng.some(self.options.mix)
        second = self._views(bank, rng, mixed, height, width)
        angle, edge = rng.uniform(0, 2 * torch.pi)[mixed], rng.uniform(-0.6, 0.6)[mixed]
        sharpness = rng.log_uniform(0.5, 100)[mixed]  # from a blend of both to a straight edge between them
        if len(mixed):
            x, y = pixel_grid(height, width, rng.device)
            values = (angle.cos(), angle.sin(), edge, sharpness)
            cosine, sine, edge, sharpness = (per_image(v, rng.device) for v in values)
            share = torch.sigmoid(sharpness * (cosine * x + sine * y - edge))  # (n, 1, h, w)
            change_some(backgrounds, mixed, lambda chosen: torch.lerp(chosen, second, share))
        return backgrounds

    @staticmethod
    def _views(bank: Tensor, rng: BatchRandom, who: Tensor, height: int, width: int) -> Tensor:
        """A view (n, 3, h, w) of the bank for each of the samples ``who``."""
        index, zoom, mirror = rng.index(len(bank)), rng.uniform(0.35, 1.0), rng.chance(0.5)
        angle = torch.where(rng.chance(0.7), rng.normal(0.1), rng.uniform(0, 2 * torch.pi))
        x, y = ((1 - zoom) * rng.uniform(-1, 1) for _ in range(2))
        matrices = affine_matrices(zoom, angle, x, y, mirror)[who]
        chosen = bank[index[who].to(bank.device)].float().div_(255)
        return warp_affine(chosen, matrices, height, width, 'reflection')

    def _crop(self, paths: list[Path], rng: np.random.Generator) -> np.ndarray | None:
        """A crop of a random photograph; None, a warning and one path fewer if it cannot be read."""
        path = paths[int(rng.integers(len(paths)))]
        try:
            return crop_photograph(path, self.options.size, rng)
        except OSError as error:
            print_log(f'{error}; it is left out', 'current', logging.WARNING)
            paths.remove(path)
            return None

    def _make(self, training: bool) -> Tensor:
        options, start = self.options, time.perf_counter()
        num = options.num if training else max(1, options.num // _EVALUATION_SHARE)
        rng = np.random.default_rng([options.seed, int(training)])
        paths = list_photographs(Path(options.folder)) if options.folder else []
        if len(paths) >= _EVALUATION_SHARE:
            paths = [p for i, p in enumerate(paths) if (i % _EVALUATION_SHARE != 0) is training]
        bank, crops = np.empty((num, options.size, options.size, 3), np.uint8), 0
        for image in bank:
            crop = self._crop(paths, rng) if paths and rng.random() < options.photographs else None
            crops += crop is not None
            image[...] = np.rint(255 * (generate_background(options.size, rng) if crop is None else crop)[..., ::-1])
        print_log(
            f'made {num} backgrounds of {options.size}² for {"training" if training else "evaluation"} in '
            f'{time.perf_counter() - start:.1f} s: {crops} crops of {len(paths)} photographs, the others generated',
            logger='current',
        )
        return torch.from_numpy(np.ascontiguousarray(bank.transpose(0, 3, 1, 2)))
