"""Data sets, their transforms, and the check of their annotation files."""

from . import hand, transforms  # noqa: F401
