"""Samplers."""

from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_dist_info, sync_random_seed
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


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


@DATA_SAMPLERS.register_module()
class ViewGroupSampler(Sampler):
    """The views of a frame in a row, a fixed number of each; see :class:`HandViewDataset`.

    In training frames are shuffled, and with each pass other views of a frame are drawn, in any order. Otherwise the
    views of a frame form groups in their order; if they do not divide evenly, the last group has some views a second
    time, which metrics count once.

    Processes get whole groups. The batch size must be a multiple of ``num_views``.

    Args:
        dataset: Its samples have ``frame_id`` and ``view_id``.
        num_views: Views of a frame in a group.
        shuffle: Whether this is training.
        seed: As in MMEngine's ``DefaultSampler``.
        round_up: Whether all processes get as many groups, some of them groups from the start.
    """

    def __init__(
        self, dataset: Sized, num_views: int, shuffle: bool = True, seed: int | None = None, round_up: bool = True
    ) -> None:
        if num_views < 1:
            raise ValueError(f'num_views: expected an integer from 1, got {num_views}')
        self.num_views, self.shuffle, self.round_up, self.epoch = num_views, shuffle, round_up, 0
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        places: dict[int, list[tuple[int, int]]] = {}
        for i in range(len(dataset)):
            info = dataset.get_data_info(i)
            places.setdefault(info['frame_id'], []).append((info['view_id'], i))
        for frame, views in places.items():
            if len(views) < num_views:
                raise ValueError(
                    f'{getattr(dataset, "ann_file", "dataset")}: frame {frame}: expected {num_views} views or more '
                    f'(num_views), got {len(views)}: {sorted(view for view, _ in views)}'
                )
        self.frames = [[i for _, i in sorted(places[frame])] for frame in sorted(places)]

    def __iter__(self) -> Iterator[int]:
        """Yield the indices for this process."""
        groups = self._draw() if self.shuffle else self._all()
        wanted = range(self.rank, self._last_group(), self.world_size)
        return (i for k in wanted for i in groups[k % len(groups)])

    def __len__(self) -> int:
        return len(range(self.rank, self._last_group(), self.world_size)) * self.num_views

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be that of an epoch."""
        self.epoch = epoch

    def _last_group(self) -> int:
        n = self.num_views
        total = len(self.frames) if self.shuffle else sum(-(-len(views) // n) for views in self.frames)
        return total + (-total % self.world_size if self.round_up else 0)

    def _draw(self) -> list[list[int]]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        groups = []
        for k in torch.randperm(len(self.frames), generator=generator).tolist():
            order = torch.randperm(len(self.frames[k]), generator=generator)[: self.num_views]
            groups.append([self.frames[k][v] for v in order.tolist()])
        return groups

    def _all(self) -> list[list[int]]:
        n = self.num_views
        starts = ((views, min(k, len(views) - n)) for views in self.frames for k in range(0, len(views), n))
        return [views[k : k + n] for views, k in starts]
