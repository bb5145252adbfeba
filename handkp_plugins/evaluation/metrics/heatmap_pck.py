"""PCK relative to the size of the output heatmap, for each keypoint."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.evaluation.functional import keypoint_pck_accuracy
from mmpose.registry import METRICS

from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.visualization.plots import plot_keypoint_bars
from handkp_plugins.visualization.report import format_table

from .pixel import sample_points


@METRICS.register_module()
class HeatmapPCK(BaseMetric):
    """``PCK@0.03heatmap``: share of labelled keypoints less than α·max(h, w) pixels of the output heatmap (h, w) from
    the truth; mean of the keypoints' shares (hand keypoint transformer, section 4). Each share goes to the log.

    The heatmap has the same stride in both directions, so the metric compares in pixels of the network's input.

    Args:
        alpha: α.
        picture_file: Image file for a bar chart of the keypoints (``.png``, ``.svg``, …). Its folder is created.
        json_file: JSON file with the keys ``alpha``, ``mean``, ``pck`` and ``labelled`` (the last two by keypoint; null
            for one that is never labelled). Its folder is created. Each evaluation overwrites both files.
    """

    def __init__(
        self, alpha: float = 0.03, picture_file: str | None = None, json_file: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < alpha < 1:
            raise ValueError(f'alpha: expected a number between 0 and 1, got {alpha}')
        self.alpha, self.picture_file, self.json_file = alpha, picture_file, json_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add each sample's keypoints, and the longer side (N, 2) that their distances are divided by."""
        for sample in data_samples:
            points = sample_points(sample, space='input')
            self.results.append((*points, np.full((len(points[0]), 2), max(sample['input_size']), float)))

    def compute_metrics(self, results: list[tuple[np.ndarray, ...]]) -> dict[str, float]:
        """Return the mean over the keypoints that are labelled anywhere; NaN, with a warning, if there are none."""
        predicted, truth, labelled, sides = (np.concatenate(part) for part in zip(*results, strict=True))
        shares, mean, known = keypoint_pck_accuracy(predicted, truth, labelled, self.alpha, sides)
        counts = labelled.sum(0)
        shares, mean = np.where(counts, shares, np.nan), float(mean) if known else float('nan')
        title = f'PCK@{self.alpha:g} heatmap'
        if not known:
            print_log(f'{title}: no keypoint is labelled', logger='current', level=logging.WARNING)
        known_names = (self.dataset_meta or {}).get('keypoint_id2name', {})
        names = [known_names.get(k, str(k)) for k in range(len(shares))]
        rows = [(name, f'{share:.4f}', str(n)) for name, share, n in zip(names, shares, counts, strict=True)]
        table = format_table([('keypoint', 'PCK', 'labelled'), *rows, ('mean', f'{mean:.4f}', str(counts.sum()))])
        print_log(f'{title}\n{table}', logger='current')
        if self.json_file is not None:
            pck = dict(zip(names, np.where(counts, shares, None).tolist(), strict=True))
            labelled = dict(zip(names, counts.tolist(), strict=True))
            content = dict(alpha=self.alpha, mean=mean if known else None, pck=pck, labelled=labelled)
            write_text(self.json_file, json.dumps(content, indent=1))
        if self.picture_file is not None:
            plot_keypoint_bars(names, shares, self.picture_file, title)
        return {f'PCK@{self.alpha:g}heatmap': mean}
