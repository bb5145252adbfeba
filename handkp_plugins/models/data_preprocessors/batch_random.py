"""Random numbers for a batch: from one stream in training, from each sample's own in evaluation."""

import math
import zlib
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

_OWN_NUMBERS = 256


class BatchRandom:
    """Draws one number for each of N samples, on the CPU, so that choosing samples never waits for a GPU.

    Every step draws for all samples, even for those that do not need it: so no sample's numbers depend on the others.

    In evaluation, ``ids`` are what each sample's numbers depend on. None takes PyTorch's global generators, which
    follow the seed of a training and are kept in its checkpoints. Training draws the noise on the device.
    """

    def __init__(self, num: int, ids: Sequence[Hashable] | None, device: torch.device) -> None:
        self.num, self.device = num, device
        self._own = None
        if ids is not None:
            seeds = [zlib.crc32(repr(i).encode()) for i in ids]
            self._own = [torch.Generator().manual_seed(seed) for seed in seeds]
            numbers = torch.stack([torch.rand(_OWN_NUMBERS, generator=g) for g in self._own])
            self._columns = iter(numbers.unbind(1))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(N,) evenly between two bounds."""
        share = torch.rand(self.num) if self._own is None else next(self._columns)
        return low + (high - low) * share

    def log_uniform(self, low: float, high: float) -> Tensor:
        """(N,) between two bounds above 0, each doubling as likely as the next."""
        return self.uniform(math.log(low), math.log(high)).exp()

    def normal(self, deviation: float) -> Tensor:
        """(N,) about 0 (Box and Muller, 1958)."""
        radius = (-2 * (1 - self.uniform()).log()).sqrt()
        return deviation * radius * (2 * math.pi * self.uniform()).cos()

    def index(self, count: int) -> Tensor:
        """(N,) whole numbers from 0 to count - 1."""
        return (self.uniform() * count).long().clamp_(max=count - 1)

    def chance(self, share: float) -> Tensor:
        """(N,) true in this share of the samples."""
        return self.uniform() < share

    def some(self, share: float) -> Tensor:
        """Ascending indices of a random share of the samples."""
        return self.chance(share).nonzero().flatten()

    def noise(self, height: int, width: int) -> Tensor:
        """(N, 1, height, width) normal numbers of unit deviation, on the device."""
        size = (1, height, width)
        if self._own is None:
            return torch.randn(self.num, *size, device=self.device)
        return torch.stack([torch.randn(size, generator=g) for g in self._own]).to(self.device)
