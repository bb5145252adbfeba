"""Inputs and results of the converters."""

from pathlib import Path

import cv2
import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.registry import DATASETS

from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file


def blank_image(path: Path, width: int = 64, height: int = 48) -> None:
    """Write a grey image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 99, np.uint8))


def load_converted(dataset: str, path: Path, root: Path, **options: object) -> BaseDataset:
    """Check a COCO file and build its dataset."""
    assert check_keypoint_file(str(path)) > 0
    return DATASETS.build(dict(type=dataset, ann_file=str(path), data_prefix=dict(img=f'{root}/'), **options))
