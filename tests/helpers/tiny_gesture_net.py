"""A GestureNet that tells by one number what a hand shows: a config file and a checkpoint."""

from pathlib import Path

import torch
from mmengine.registry import init_default_scope

from handkp_plugins.models.classifiers import GestureNet

CLASSES = ('left', 'right')


def write_gesture_net(folder: Path, meta: dict | None = None) -> tuple[Path, Path]:
    """Write ``gestures.py``, whose number of classes is another, and ``gestures.pth`` of random weights."""
    config, checkpoint = folder / 'gestures.py', folder / 'gestures.pth'
    config.write_text(
        "default_scope = 'mmpose'\ncustom_imports = dict(imports=['handkp_plugins'])\n"
        "model = dict(type='GestureNet', num_classes=7, mean_of_coordinates=False)\n"
    )
    torch.manual_seed(0)
    init_default_scope('mmpose')  # another test may have left MMDetection's
    net = GestureNet(num_classes=2, mean_of_coordinates=False)
    meta = dict(dataset_meta=dict(classes=CLASSES)) if meta is None else meta
    torch.save(dict(meta=meta, state_dict=net.state_dict()), checkpoint)
    return config, checkpoint
