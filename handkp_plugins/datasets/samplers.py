"""Samplers."""

from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FixedEpochSampler(DefaultSampler):
    """Epochs of a fixed number of samples. Each epoch continues where the last one stopped in the shuffled dataset.

    The samples of an epoch depend only on the seed and its number, so that a resumed training continues at once;
    MMEngine's ``InfiniteSampler`` must load all earlier samples again.

    Args:
        dataset: Not empty; it is shuffled again for each pass.
        samples_per_epoch: Samples of all processes together; rounded up to a multiple of their number.
        seed: As in ``DefaultSampler``.
    """

    def __init__(self, dataset: Sized, samples_per_epoch: int, seed: int | None = None) -> None:
        if samples_per_epoch < 1:
            raise ValueError(f'samples_per_epoch: expected an integer from 1, got {samples_per_epoch}')
        if not len(dataset):
            raise ValueError('dataset: expected a set with samples, got an empty one')
        super().__init__(dataset, shuffle=True, seed=seed)
        self.num_samples = -(-samples_per_epoch // self.world_size)
        self.total_size = self.num_samples * self.world_size

    def __iter__(self) -> Iterator[int]:
        """Yield the indices for this process."""
        length, start = len(self.dataset), self.epoch * self.total_size
        indices: list[int] = []
        while len(indices) < self.total_size:
            cycle, position = divmod(start + len(indices), length)
            order = torch.randperm(length, generator=torch.Generator().manual_seed(self.seed + cycle))
            indices += order[position : position + self.total_size - len(indices)].tolist()
        return iter(indices[self.rank :: self.world_size])
