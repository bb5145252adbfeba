"""Which samples make an epoch."""

from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FixedEpochSampler(DefaultSampler):
    """Epochs of the same number of samples, however large the set is: they go on through it, shuffled anew each time.

    Schedules, checkpoints and validation then come after a stated number of samples. An epoch's samples follow from
    the seed and its number alone, so that a resumed training goes on where it stopped, which MMEngine's
    ``InfiniteSampler`` reaches only by loading everything again.

    Args:
        dataset: The set.
        samples_per_epoch: Of all processes together; rounded up to a multiple of their number.
        seed: As in ``DefaultSampler``.

    Raises:
        ValueError: Fewer than one sample per epoch, or an empty set.
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
        """Indices for this process."""
        length, start = len(self.dataset), self.epoch * self.total_size
        indices: list[int] = []
        while len(indices) < self.total_size:
            walk, position = divmod(start + len(indices), length)
            order = torch.randperm(length, generator=torch.Generator().manual_seed(self.seed + walk))
            indices += order[position : position + self.total_size - len(indices)].tolist()
        return iter(indices[self.rank :: self.world_size])
