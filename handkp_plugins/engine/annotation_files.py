"""Which annotation files a data set's config will read."""

import inspect
import os
from collections.abc import Iterator
from typing import Any

from mmengine.utils import is_abs
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS


def annotation_files(dataset: Any) -> Iterator[tuple[str, int]]:
    """Each COCO keypoint file that a dataset's config, or one nested in it, names; with its number of keypoints."""
    if isinstance(dataset, (list, tuple)):
        for item in dataset:
            yield from annotation_files(item)
        return
    if not isinstance(dataset, dict):
        return
    for value in dataset.values():
        yield from annotation_files(value)
    path, kind = dataset.get('ann_file'), dataset.get('type')
    cls = kind if inspect.isclass(kind) else DATASETS.get(kind) if isinstance(kind, str) else None
    if not path or not inspect.isclass(cls) or not issubclass(cls, BaseCocoStyleDataset):
        return
    # A dataset that reads its files in its own way (InterHand, whole-body annotations) has its own format.
    if cls._load_annotations is not BaseCocoStyleDataset._load_annotations:
        return
    if not is_abs(path):
        path = os.path.join(dataset.get('data_root') or '', path)
    yield path, parse_pose_metainfo(dataset.get('metainfo') or cls.METAINFO)['num_keypoints']
