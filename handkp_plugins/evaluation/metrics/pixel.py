"""Scores in pixels as MMEngine metrics.

Every rank adds one result per sample. MMEngine restores the data set's order and drops what the sampler padded, so each
image counts once whatever the number of processes.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS

from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.structures.crops import to_input_space

from ..functional.distances import keypoint_distances, mean_square, mpjpe_at, pck_at, pck_curve

_SPACES = ('image', 'input')


def sample_points(sample: dict, space: str = 'image') -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a sample's predicted and true keypoints (N, K, 2) in pixels, and which are labelled (N, K).

    ``space`` is ``'image'`` for pixels of the original image, or ``'input'`` for pixels of the network's input.
    """
    predicted = np.asarray(sample['pred_instances']['keypoints'], dtype=np.float64)
    truth = np.asarray(sample['gt_instances']['keypoints'], dtype=np.float64)
    labelled = np.asarray(sample['gt_instances']['keypoints_visible']) > 0
    if labelled.ndim == 3:  # some codecs append a weight to the visibility
        labelled = labelled[..., 0]
    if space == 'input':
        crop = sample['input_center'], sample['input_scale'], sample['input_size']
        predicted, truth = to_input_space(predicted, *crop), to_input_space(truth, *crop)
    return predicted, truth, labelled


class _PixelMetric(BaseMetric):
    """Collect the distances of all labelled keypoints in pixels.

    ``space`` is ``'image'`` for pixels of the original image, as in MMPose's EPE, or ``'input'`` for pixels of the
    network's input, which gives hands of all sizes the same weight.
    """

    def __init__(self, space: str = 'image', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if space not in _SPACES:
            raise ValueError(f'space: expected one of {_SPACES}, got {space!r}')
        self.space = space

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the distances (L,) of each sample's labelled keypoints."""
        for sample in data_samples:
            self.results.append(keypoint_distances(*sample_points(sample, self.space)))

    def _gather(self, results: list[np.ndarray]) -> np.ndarray:
        distances = np.concatenate(results)
        if not len(distances):
            print_log(
                f'{type(self).__name__}: no score, because none of the {len(results)} samples has a labelled keypoint',
                logger='current',
                level=logging.WARNING,
            )
        return distances


class _ThresholdMetric(_PixelMetric):
    """A :class:`_PixelMetric` that reports a score for each of several distances."""

    def __init__(self, thresholds: Sequence[float] = (5, 10, 20), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not thresholds or any(t <= 0 for t in thresholds):
            raise ValueError(f'thresholds: expected one or more positive numbers, got {thresholds}')
        self.thresholds = tuple(thresholds)


@METRICS.register_module()
class PixelPCK(_ThresholdMetric):
    """``PCK@5px`` and so on: share of labelled keypoints less than t pixels from the truth (P-MSDSNet, eq. 9).

    Args:
        thresholds: The values of t.
        curve_file: JSON file for the curve of t = 1, 2, … 50: ``thresholds``, ``pck``, ``labelled`` (number of
            keypoints) and ``space``.
        kwargs: ``space``, ``'image'`` (default) or ``'input'``, and the arguments of ``BaseMetric``.
    """

    def __init__(self, thresholds: Sequence[float] = (5, 10, 20), curve_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(thresholds, **kwargs)
        self.curve_file = curve_file

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Return the share of correct keypoints at each threshold."""
        distances = self._gather(results)
        if self.curve_file is not None:
            t = list(range(1, 51))
            pck = pck_curve(distances, t).tolist()
            content = dict(thresholds=t, pck=pck, labelled=len(distances), space=self.space)
            write_text(self.curve_file, json.dumps(content))
        return {f'PCK@{t:g}px': pck_at(distances, t) for t in self.thresholds}


@METRICS.register_module()
class MPJPEAtThreshold(_ThresholdMetric):
    """``MPJPE@5px`` and ``N@5px``: mean distance of the keypoints correct at t, and their count (P-MSDSNet, eq. 10).

    Arguments are those of :class:`PixelPCK`, without ``curve_file``.
    """

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Return mean distance and count at each threshold, and ``N``, the number of all labelled keypoints."""
        distances = self._gather(results)
        scores: dict[str, float] = {}
        for t in self.thresholds:
            scores[f'MPJPE@{t:g}px'], scores[f'N@{t:g}px'] = mpjpe_at(distances, t)
        return dict(scores, N=len(distances))


@METRICS.register_module()
class PixelMSE(_PixelMetric):
    """``MSE``: mean squared distance of the labelled keypoints in px² (joint heads, Table 1).

    ``space`` is ``'input'`` for pixels of the network's input, or ``'image'`` for those of the original image.
    """

    def __init__(self, space: str = 'input', **kwargs: Any) -> None:
        super().__init__(space, **kwargs)

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Return the mean over all labelled keypoints of all samples."""
        return dict(MSE=mean_square(self._gather(results)))
