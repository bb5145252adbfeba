"""Data sets, their transforms and samplers, and the check of their annotation files."""

from . import hand, samplers, transforms  # noqa: F401
