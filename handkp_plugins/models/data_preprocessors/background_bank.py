"""Backgrounds for a batch: random views of a bank of pictures that is made once."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from handkp_plugins.fileio.images import list_photographs
from handkp_plugins.imaging.backgrounds import generated, photograph

from .draws import Draws
from .geometry import axes, column, placement, warp

_EVALUATION_SHARE = 8


@dataclass(frozen=True)
class Backgrounds:
    """Which pictures lie behind the hands.

    Args:
        folder: Photographs, of which random crops are taken; None for generated pictures alone. Every eighth
            photograph serves evaluation only, where there are eight or more.
        photographs: Share of photographs in the bank, where there is a folder.
        num: Pictures in the bank for training; evaluation has an eighth as many, others.
        size: Their width and height in pixels; at least that of the network's input keeps edges sharp.
        seed: Of the bank. It does not follow the seed of the training, so that scores of several can be compared.
        mix: Share of backgrounds that two pictures make up, side by side or one shining through the other.
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
    """Makes its pictures when the first batch asks for them: one bank for training, another one for evaluation.

    It is no module and holds no buffers: checkpoints, averaged weights and data-parallel training pass it by.
    """

    def __init__(self, options: Backgrounds) -> None:
        self.options = options
        self._banks: dict[bool, Tensor] = {}

    def pictures(self, training: bool, device: torch.device) -> Tensor:
        """The bank (M, 3, size, size), BGR, uint8, on a device.

        Raises:
            FileNotFoundError: The folder is missing or holds no photograph.
            OSError: A photograph cannot be decoded.
        """
        if training not in self._banks:
            self._banks[training] = self._make(training)
        if self._banks[training].device != device:
            self._banks[training] = self._banks[training].to(device)
        return self._banks[training]

    def draw(self, draws: Draws, height: int, width: int, training: bool) -> Tensor:
        """Backgrounds (N, 3, h, w), BGR, 0…1: random pictures, cropped, turned, mirrored and sometimes mixed."""
        bank = self.pictures(training, draws.device)
        behind = self._views(bank, draws, torch.arange(draws.num), height, width)
        mixed = draws.some(self.options.mix)
        second = self._views(bank, draws, mixed, height, width)
        angle, edge = draws.uniform(0, 2 * torch.pi)[mixed], draws.uniform(-0.6, 0.6)[mixed]
        sharpness = draws.log_uniform(0.5, 100)[mixed]  # from a blend of both to a straight edge between them
        if len(mixed):
            x, y = axes(height, width, draws.device)
            cosine, sine, edge, sharpness = (
                column(v, draws.device) for v in (angle.cos(), angle.sin(), edge, sharpness)
            )
            share = torch.sigmoid(sharpness * (cosine * x + sine * y - edge))  # (n, 1, h, w)
            chosen = mixed.to(draws.device)
            behind[chosen] = torch.lerp(behind[chosen], second, share)
        return behind

    @staticmethod
    def _views(bank: Tensor, draws: Draws, who: Tensor, height: int, width: int) -> Tensor:
        """A view (n, 3, h, w) of the bank for each of the samples ``who``."""
        index, zoom, mirror = draws.index(len(bank)), draws.uniform(0.35, 1.0), draws.chance(0.5)
        angle = torch.where(draws.chance(0.7), draws.normal(0.1), draws.uniform(0, 2 * torch.pi))
        x, y = ((1 - zoom) * draws.uniform(-1, 1) for _ in range(2))
        matrices = placement(zoom, angle, x, y, mirror)[who]
        chosen = bank[index[who].to(bank.device)].float().div_(255)
        return warp(chosen, matrices, height, width, 'reflection')

    def _photograph(self, paths: list[Path], rng: np.random.Generator) -> np.ndarray | None:
        """A crop of some photograph; None if it cannot be read, which is told, and leaves it out from then on."""
        path = paths[int(rng.integers(len(paths)))]
        try:
            return photograph([path], self.options.size, rng)
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
        bank = np.empty((num, options.size, options.size, 3), np.uint8)
        taken = 0
        for picture in bank:
            real = bool(paths) and rng.random() < options.photographs
            made = self._photograph(paths, rng) if real else None
            taken += made is not None
            made = generated(options.size, rng) if made is None else made
            picture[...] = np.rint(255 * made[..., ::-1])
        print_log(
            f'made {num} backgrounds of {options.size}² for {"training" if training else "evaluation"} in '
            f'{time.perf_counter() - start:.1f} s: {taken} crops of {len(paths)} photographs, the others generated',
            'current',
            logging.INFO,
        )
        return torch.from_numpy(np.ascontiguousarray(bank.transpose(0, 3, 1, 2)))
