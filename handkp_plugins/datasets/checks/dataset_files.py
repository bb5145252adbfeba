"""Find and check the annotation files that a dataset's config names."""

import inspect
import os
from collections.abc import Iterator
from typing import Any

from mmengine.utils import is_abs
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from .box_files import check_box_file
from .keypoint_files import check_keypoint_file


def check_dataset_files(dataset: Any) -> None:
    """Check each COCO file of keypoints or boxes that a dataset's config, or one nested in it, names.

    A dataset that checks its own files, such as ``HandViewDataset``, does so when it is built.

    Raises FileNotFoundError if one is missing, and ValueError if one is malformed.
    """
    for path, num_keypoints in keypoint_files(dataset):
        check_keypoint_file(path, num_keypoints)
    for path, classes in box_files(dataset):
        check_box_file(path, classes)


def keypoint_files(dataset: Any) -> Iterator[tuple[str, int]]:
    """Yield each COCO keypoint file of a dataset's config, with its number of keypoints."""
    for config, path, cls in _annotation_files(dataset):
        # A dataset that reads its files in its own way (InterHand, whole-body annotations) has its own format.
        usual = getattr(cls, '_load_annotations', None) is BaseCocoStyleDataset._load_annotations
        if usual and not getattr(cls, 'checks_its_file', False):
            yield path, parse_pose_metainfo(config.get('metainfo') or cls.METAINFO)['num_keypoints']


def box_files(dataset: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each COCO file of boxes that MMDetection will read, with the names of the classes."""
    for config, path, cls in _annotation_files(dataset):
        if (cls.__module__, cls.__name__) == ('mmdet.datasets.coco', 'CocoDataset'):
            classes = (config.get('metainfo') or {}).get('classes') or cls.METAINFO['classes']
            yield path, (classes,) if isinstance(classes, str) else tuple(classes)


def _annotation_files(dataset: Any) -> Iterator[tuple[dict, str, type]]:
    """Yield each config, at any depth, that names an annotation file; with the file and the dataset's class."""
    if isinstance(dataset, (list, tuple)):
        for item in dataset:
            yield from _annotation_files(item)
        return
    if not isinstance(dataset, dict):
        return
    for value in dataset.values():
        yield from _annotation_files(value)
    path, kind = dataset.get('ann_file'), dataset.get('type')
    if not path or not isinstance(kind, (str, type)):
        return
    with DATASETS.switch_scope_and_registry(None) as registry:  # CocoDataset is one of MMPose and one of MMDetection
        cls = registry.get(kind) if isinstance(kind, str) else kind
    if inspect.isclass(cls):
        yield dataset, path if is_abs(path) else os.path.join(dataset.get('data_root') or '', path), cls
