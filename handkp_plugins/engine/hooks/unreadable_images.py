"""Count the training images that could not be read."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from handkp_plugins.datasets.transforms.loading import LoadHandImage
from handkp_plugins.errors import HandkpError


def _leaves(dataset: Any, outer: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield the datasets inside wrappers, each with its own transforms and those of the wrappers around it."""
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
    """List the training images that :class:`LoadHandImage` skipped, and raise if they are too many.

    The list is logged when training ends. Each process checks their share when it meets an unreadable image, and all
    processes together after every epoch.

    Args:
        max_share: Largest share of all distinct images of the training set, 0 to 1; HandkpError if it is larger.
    """

    def __init__(self, max_share: float = 0.01) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f'max_share: expected a number from 0 to 1, got {max_share}')
        self.max_share = max_share
        self.unreadable: dict[str, str] = {}
        self._num_images: int | None = None

    def before_train(self, runner: Runner) -> None:
        """Start to count, and refuse a pipeline that would drop images in silence."""
        self.unreadable, self._num_images = {}, None
        for _, transforms in _leaves(runner.train_dataloader.dataset):
            loads = any(isinstance(t, LoadHandImage) for t in transforms)
            if loads and not any('unreadable_images' in getattr(t, 'meta_keys', ()) for t in transforms):
                raise ValueError(
                    'train pipeline: expected after LoadHandImage PackHandInputs, or another transform with '
                    f"'unreadable_images' in meta_keys, got {[type(t).__name__ for t in transforms]}"
                )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Collect the unreadable images of this batch."""
        known = len(self.unreadable)
        for sample in (data_batch or {}).get('data_samples', ()):
            self.unreadable.update(sample.metainfo.get('unreadable_images', {}))
        if len(self.unreadable) > known:
            self._check(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Join the lists of all processes."""
        for other in all_gather_object(self.unreadable):
            self.unreadable.update(other)
        self._check(runner)

    def after_train(self, runner: Runner) -> None:
        """Log the list."""
        if self.unreadable:
            lines = [f'  {path} ({reason})' for path, reason in sorted(self.unreadable.items())]
            runner.logger.warning('\n'.join([f'{self._summary(runner)}; trained without them:', *lines]))

    def _summary(self, runner: Runner) -> str:
        if self._num_images is None:  # reading every record of a large set takes seconds
            leaves = _leaves(runner.train_dataloader.dataset)
            infos = (leaf.get_data_info(i) for leaf, _ in leaves for i in range(len(leaf)))
            self._num_images = len({path for info in infos for path in np.atleast_1d(info['img_path'])})
        count = len(self.unreadable)
        return f'{count} of {self._num_images} training images ({count / self._num_images:.2%}) could not be read'

    def _check(self, runner: Runner) -> None:
        if not self.unreadable:
            return
        summary = self._summary(runner)
        if len(self.unreadable) > self.max_share * self._num_images:
            first = ', '.join(f'{path} ({reason})' for path, reason in sorted(self.unreadable.items())[:5])
            raise HandkpError(f'{summary}, more than max_share={self.max_share:g} allows; among them {first}')
