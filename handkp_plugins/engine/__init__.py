"""The runner with its hooks and optimizers, configs, checkpoints and experiments."""

from . import hooks, optimizers, runner  # noqa: F401
