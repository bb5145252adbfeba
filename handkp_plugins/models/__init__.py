"""Networks: data preprocessors, backbones, necks, heads, losses, classifiers, estimators and test-time augmentation."""

from . import backbones, classifiers, data_preprocessors, heads, losses, necks, pose_estimators, tta  # noqa: F401
