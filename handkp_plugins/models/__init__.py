"""Networks: what prepares their batches, backbones, necks, heads and losses, and averaging over views."""

from . import backbones, classifiers, data_preprocessors, heads, losses, necks, tta  # noqa: F401
