"""Running things: the runner, its hooks, mixed precision, configs and the arguments that the tools share."""

from . import hooks, muon, optim, runner, shard_backend  # noqa: F401
