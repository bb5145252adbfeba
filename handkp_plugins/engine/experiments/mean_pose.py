"""The baseline that ignores the image: the mean pose of the training set, scaled to each hand's box."""

from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData


def mean_pose(dataset: BaseDataset) -> np.ndarray:
    """Return the mean of the labelled keypoints relative to their box, [K, 2]: (0, 0) is its upper left corner, (1, 1)
    its lower right one.

    The data set is top-down, with one hand per sample. Raises ValueError if a keypoint is labelled in no sample.
    """
    total, count = 0.0, 0.0
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        labelled = (info['keypoints_visible'][0] > 0)[:, None]
        low, high = info['bbox'][0, :2], info['bbox'][0, 2:]
        total = total + np.where(labelled, (info['keypoints'][0] - low) / (high - low), 0)
        count = count + labelled
    if not np.all(count):
        raise ValueError(
            f'keypoints: expected a label of each in {len(dataset)} samples, '
            f'got none of {np.flatnonzero(count == 0).tolist()}'
        )
    return total / count


def evaluate_mean_pose(pose: np.ndarray, dataset: BaseDataset, metrics: list[dict[str, Any]]) -> dict[str, float]:
    """Score a mean pose [K, 2] on a test set with a pipeline, by the metrics of a config."""
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dataset.metainfo
    for i in range(len(dataset)):
        sample = dataset[i]['data_samples']
        low, high = sample.gt_instances.bboxes[:, :2], sample.gt_instances.bboxes[:, 2:]
        keypoints = (low + pose * (high - low))[None]
        sample.pred_instances = InstanceData(keypoints=keypoints, keypoint_scores=np.ones(keypoints.shape[:2]))
        evaluator.process(data_samples=[sample])
    return {name: float(score) for name, score in evaluator.evaluate(len(dataset)).items()}
