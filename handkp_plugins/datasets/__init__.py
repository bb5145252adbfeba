"""Data sets that MMPose lacks, their transforms and samplers, and checks of their files."""

from . import hand, samplers, shard_backend, transforms  # noqa: F401
