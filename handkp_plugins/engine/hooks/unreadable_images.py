"""Account for the training images that could not be read."""

from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from handkp_plugins.datasets.transforms.loading import LoadHandImage
from handkp_plugins.errors import HandkpError


def _leaves(dataset: Any, outer: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The data sets that read files, below wrappers that concatenate, combine or repeat them.

    Each comes with all transforms that its samples pass: its own, then those of the wrappers around it.
    """
    transforms = (*getattr(getattr(dataset, 'pipeline', None), 'transforms', ()), *outer)
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from _leaves(part, transforms)
    elif hasattr(dataset, 'dataset'):
        yield from _leaves(dataset.dataset, transforms)
    else:
        yield dataset, transforms


@HOOKS.register_module()
class UnreadableImageHook(Hook):
    """Lists the training images that :class:`LoadHandImage` passed over, and fails where they are too many.

    The list, with count and share, is logged when training ends. Their share is counted against the distinct images of
    the training set, over all ranks. It is checked whenever a process meets a new one, and over all ranks after every
    epoch. A resumed training lists what it met itself.

    Args:
        max_share: the greatest share of unreadable images that is put up with, 0 to 1.

    Raises:
        HandkpError: the share is exceeded.
        ValueError: the pipeline loads with ``LoadHandImage`` but packs without the key that this hook reads.
    """

    def __init__(self, max_share: float = 0.01) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f'max_share: expected a number from 0 to 1, got {max_share}')
        self.max_share = max_share
        self.unreadable: dict[str, str] = {}
        self._num_images: int | None = None

    def before_train(self, runner: Runner) -> None:
        """Forget an earlier training, and refuse a pipeline that would drop images in silence."""
        self.unreadable, self._num_images = {}, None
        for _, transforms in _leaves(runner.train_dataloader.dataset):
            loads = any(isinstance(t, LoadHandImage) for t in transforms)
            if loads and not any('unreadable_images' in getattr(t, 'meta_keys', ()) for t in transforms):
                raise ValueError(
                    'train pipeline: LoadHandImage must be followed by PackHandInputs, or by another packing '
                    "transform whose meta_keys hold 'unreadable_images', got "
                    f'{[type(t).__name__ for t in transforms]}'
                )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Collect what the samples of this batch bring along."""
        known = len(self.unreadable)
        for sample in (data_batch or {}).get('data_samples', ()):
            self.unreadable.update(sample.metainfo.get('unreadable_images', {}))
        if len(self.unreadable) > known:
            self._check(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Share the lists of all ranks, so that each decides alike."""
        for other in all_gather_object(self.unreadable):
            self.unreadable.update(other)
        self._check(runner)

    def after_train(self, runner: Runner) -> None:
        """Log the list."""
        if self.unreadable:
            lines = [f'  {path} ({reason})' for path, reason in sorted(self.unreadable.items())]
            runner.logger.warning('\n'.join([f'{self._summary(runner)}; trained without them:', *lines]))

    def _summary(self, runner: Runner) -> str:
        if self._num_images is None:  # reading every record takes seconds in a large set: only where it is needed
            leaves = _leaves(runner.train_dataloader.dataset)
            self._num_images = len({leaf.get_data_info(i)['img_path'] for leaf, _ in leaves for i in range(len(leaf))})
        count = len(self.unreadable)
        return f'{count} of {self._num_images} training images ({count / self._num_images:.2%}) could not be read'

    def _check(self, runner: Runner) -> None:
        if not self.unreadable:
            return
        summary = self._summary(runner)
        if len(self.unreadable) > self.max_share * self._num_images:
            first = ', '.join(f'{path} ({reason})' for path, reason in sorted(self.unreadable.items())[:5])
            raise HandkpError(f'{summary}, more than max_share={self.max_share:g} allows; among them {first}')
