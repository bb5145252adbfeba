"""Networks: data preprocessors, backbones, necks, heads, losses, classifiers and test-time augmentation."""

from . import backbones, classifiers, data_preprocessors, heads, losses, necks, tta  # noqa: F401
