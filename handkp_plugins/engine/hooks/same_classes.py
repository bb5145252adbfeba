"""A network is not tested on other classes than it has learned."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ..checkpoint import CheckpointError


@HOOKS.register_module()
class SameClassesHook(Hook):
    """Compare the names of the classes that a checkpoint keeps with those of the data to test on.

    Raises:
        CheckpointError: they differ, so that the network's outputs mean other classes.
    """

    def __init__(self) -> None:
        self._learned: tuple[str, ...] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the checkpoint's classes."""
        classes = (checkpoint.get('meta') or {}).get('dataset_meta', {}).get('classes')
        self._learned = None if classes is None else tuple(classes)

    def before_test(self, runner: Runner) -> None:
        """Compare."""
        given = tuple(runner.test_dataloader.dataset.metainfo.get('classes', ()))
        if self._learned is not None and given != self._learned:
            raise CheckpointError(
                f'the checkpoint has learned the classes {", ".join(self._learned)}; received data of '
                f'{", ".join(given)}. Where the data merely lack some, or should be in that order: '
                f'--cfg-options test_dataloader.dataset.classes="[{",".join(self._learned)}]"'
            )
