"""Datasets that MMPose lacks, transforms, samplers, and checks of annotation files."""

from . import hand, samplers, shard_backend, transforms  # noqa: F401
