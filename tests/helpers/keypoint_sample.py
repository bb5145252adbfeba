"""A sample as MMEngine's evaluator passes it to a metric."""

from collections.abc import Sequence

import numpy as np


def keypoint_sample(
    distances: Sequence[float],
    visible: Sequence[float],
    scale: Sequence[float] = (100, 100),
    input_size: tuple[int, int] = (256, 256),
    **meta: object,
) -> dict:
    """One hand whose keypoint k is predicted ``distances[k]`` pixels of the image to the right of the truth.

    ``scale`` is the size of the crop in the image.
    """
    truth = np.arange(2.0 * len(distances)).reshape(1, -1, 2)
    predicted = truth + np.stack([distances, np.zeros(len(distances))], -1)
    return dict(
        pred_instances=dict(keypoints=predicted),
        gt_instances=dict(keypoints=truth, keypoints_visible=np.array([visible], np.float32)),
        input_center=np.array([50, 50]),
        input_scale=np.array(scale),
        input_size=input_size,
        **meta,
    )
