"""Networks: what prepares their batches, backbones, necks, heads and losses."""

from . import backbones, classifiers, data_preprocessors, heads, losses, necks  # noqa: F401
