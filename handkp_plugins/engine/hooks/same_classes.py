"""Check that data, network and checkpoint have the same classes."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from handkp_plugins.errors import CheckpointError


@HOOKS.register_module()
class SameClassesHook(Hook):
    """Compare the classes of the data with the outputs of the network and the classes of the checkpoint.

    Raises before the first batch a ValueError, or a CheckpointError if the checkpoint to test has other classes.
    """

    def __init__(self) -> None:
        self._learned: tuple[str, ...] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the checkpoint's classes."""
        classes = (checkpoint.get('meta') or {}).get('dataset_meta', {}).get('classes')
        self._learned = None if classes is None else tuple(classes)

    def before_train(self, runner: Runner) -> None:
        """Compare network and data."""
        trained = _classes(runner.train_dataloader)
        _check_outputs(runner, trained)
        if runner.val_loop is not None and (validated := _classes(runner.val_dataloader)) != trained:
            raise ValueError(
                f'val_dataloader: expected the classes that train, {", ".join(trained)}, got {", ".join(validated)}'
            )

    def before_test(self, runner: Runner) -> None:
        """Compare checkpoint, network and data."""
        classes = _classes(runner.test_dataloader)
        if self._learned is not None and classes != self._learned:
            raise CheckpointError(
                f'test_dataloader: expected the classes of the checkpoint, {", ".join(self._learned)}, got '
                f'{", ".join(classes)}. If the data lack some, or have another order: '
                f'--cfg-options test_dataloader.dataset.classes="[{",".join(self._learned)}]"'
            )
        _check_outputs(runner, classes)


def _classes(loader: object) -> tuple[str, ...]:
    return tuple(loader.dataset.metainfo.get('classes', ()))


def _check_outputs(runner: Runner, classes: tuple[str, ...]) -> None:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    option = getattr(model, 'num_classes_option', 'model.num_classes')
    if model.num_classes != len(classes):
        raise ValueError(
            f'num_classes: expected {len(classes)}, the classes of the data, got {model.num_classes}; set it by '
            f'--cfg-options {option}={len(classes)}, or, if the data lack some classes, name all of them: '
            'train_dataloader.dataset.classes and so on'
        )
