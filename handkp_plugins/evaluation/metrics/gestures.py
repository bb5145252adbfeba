"""Scores of gesture recognition."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS
from sklearn.metrics import confusion_matrix, recall_score

from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.visualization.plots import plot_confusion
from handkp_plugins.visualization.report import format_table


@METRICS.register_module()
class GestureMetric(BaseMetric):
    """``accuracy``, ``mean_recall`` (of the classes that occur) and ``WER``.

    WER is the word error rate of clips of one sign each: 1 − accuracy. The recall of each class and the confusion
    matrix go to the log. Each evaluation overwrites both files.

    Args:
        picture_file: Image file for the confusion matrix (``.png``, ``.svg``, …). Its folder is created.
        json_file: JSON file for ``classes``, ``recall`` (null for a class that does not occur) and ``confusion``, whose
            rows are the true classes. Its folder is created.
    """

    def __init__(self, picture_file: str | None = None, json_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if picture_file is not None and not Path(picture_file).suffix:
            raise ValueError(f'picture_file: expected a name with .png, .svg or alike, got {picture_file!r}')
        self.picture_file, self.json_file = picture_file, json_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the true and the predicted class of each sample."""
        self.results += [(sample['gt_label'], sample['pred_label']) for sample in data_samples]

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict[str, float]:
        """Return the scores of all samples."""
        truth, predicted = np.array(results).T
        names = list((self.dataset_meta or {}).get('classes') or map(str, range(1 + max(truth.max(), predicted.max()))))
        labels = range(len(names))
        counts = confusion_matrix(truth, predicted, labels=labels)
        recall = recall_score(truth, predicted, labels=labels, average=None, zero_division=np.nan)
        rows = [
            (name, '–' if np.isnan(r) else f'{r:.4f}', *map(str, row))
            for name, r, row in zip(names, recall, counts, strict=True)
        ]
        table = format_table([('true class', 'recall', *names), *rows])
        print_log(f'recall, and how often each class was recognised as which\n{table}', logger='current')
        if self.json_file is not None:
            shares = [None if np.isnan(r) else float(r) for r in recall]
            document = dict(classes=names, recall=shares, confusion=counts.tolist())
            write_text(self.json_file, json.dumps(document, indent=1))
        if self.picture_file is not None:
            plot_confusion(names, counts, self.picture_file)
        return dict(
            accuracy=float((truth == predicted).mean()),
            mean_recall=float(np.nanmean(recall)),
            WER=float((truth != predicted).mean()),
        )
