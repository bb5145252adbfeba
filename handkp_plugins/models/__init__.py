"""Networks: what prepares their batches, backbones, heads and losses."""

from . import backbones, data_preprocessors, heads, losses  # noqa: F401
