"""Networks: backbones, heads and losses."""

from . import backbones, heads, losses  # noqa: F401
