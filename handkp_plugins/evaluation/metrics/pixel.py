"""Scores in pixels as MMEngine metrics, over the plain functions in :mod:`.functional`.

Every rank adds one result per sample; MMEngine puts them back in the data set's order and cuts off what the sampler
padded, so each image counts once whatever the number of processes.
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
    """A sample's predicted and true keypoints, (N, K, 2) in pixels, and which are labelled, (N, K).

    Args:
        sample: as MMEngine's evaluator hands it on.
        space: whose pixels: of the original ``'image'``, or of the crop that is the network's ``'input'``.
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
    """Collects the distances of all labelled keypoints, in pixels.

    Args:
        thresholds: distances in pixels at which a keypoint begins to be incorrect.
        space: whose pixels. ``'image'``: of the original image, as MMPose's EPE. ``'input'``: of the crop that is fed
            to the network, which makes hands of all sizes weigh the same.
        kwargs: those of ``BaseMetric``.
    """

    def __init__(self, thresholds: Sequence[float] = (5, 10, 20), space: str = 'image', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not thresholds or any(t <= 0 for t in thresholds):
            raise ValueError(f'thresholds: expected one or more positive numbers, got {thresholds}')
        if space not in _SPACES:
            raise ValueError(f'space: expected one of {_SPACES}, got {space!r}')
        self.thresholds = tuple(thresholds)
        self.space = space

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the distances (L,) of each sample's labelled keypoints, one result a sample."""
        for sample in data_samples:
            self.results.append(keypoint_distances(*sample_points(sample, self.space)))

    def _gather(self, results: list[np.ndarray]) -> np.ndarray:
        distances = np.concatenate(results)
        if not len(distances):
            print_log(
                f'{type(self).__name__}: no keypoint of the {len(results)} samples is labelled, so there is no score',
                logger='current',
                level=logging.WARNING,
            )
        return distances


@METRICS.register_module()
class PixelPCK(_PixelMetric):
    """``PCK@5px`` and so on: share of labelled keypoints that lie less than t pixels from the truth (P-MSDSNet, eq. 9).

    Args:
        thresholds: the values of t to report.
        curve_file: where to write the curve for t = 1, 2, … 50 as JSON with the keys ``thresholds``, ``pck``,
            ``labelled`` (number of keypoints) and ``space``; ``None`` for nowhere. Folders are made.
        kwargs: ``space`` and those of ``BaseMetric``.
    """

    def __init__(self, thresholds: Sequence[float] = (5, 10, 20), curve_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(thresholds, **kwargs)
        self.curve_file = curve_file

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Share of correct keypoints at each threshold."""
        distances = self._gather(results)
        if self.curve_file is not None:
            self._write_curve(distances, self.curve_file)
        return {f'PCK@{t:g}px': pck_at(distances, t) for t in self.thresholds}

    def _write_curve(self, distances: np.ndarray, path: str) -> None:
        thresholds = list(range(1, 51))
        curve = dict(
            thresholds=thresholds,
            pck=pck_curve(distances, thresholds).tolist(),
            labelled=len(distances),
            space=self.space,
        )
        write_text(path, json.dumps(curve))


@METRICS.register_module()
class MPJPEAtThreshold(_PixelMetric):
    """``MPJPE@5px`` and ``N@5px``: mean distance of the keypoints correct at t, and their number (P-MSDSNet, eq. 10).

    Args:
        thresholds: the values of t to report.
        kwargs: ``space`` and those of ``BaseMetric``.
    """

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Mean distance and count at each threshold, and ``N``, the number of all labelled keypoints."""
        distances = self._gather(results)
        scores: dict[str, float] = {}
        for t in self.thresholds:
            scores[f'MPJPE@{t:g}px'], scores[f'N@{t:g}px'] = mpjpe_at(distances, t)
        return dict(scores, N=len(distances))


@METRICS.register_module()
class PixelMSE(_PixelMetric):
    """``MSE``: mean squared distance of the labelled keypoints in px², by default of the crop (joint heads, Table 1).

    Args:
        space: as in ``PixelPCK``.
        kwargs: those of ``BaseMetric``.
    """

    def __init__(self, space: str = 'input', **kwargs: Any) -> None:
        super().__init__(space=space, **kwargs)

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Mean over all labelled keypoints of all samples."""
        return dict(MSE=mean_square(self._gather(results)))
