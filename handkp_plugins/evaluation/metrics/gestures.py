"""Scores of recognised signs."""

import json
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS
from sklearn.metrics import confusion_matrix

from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.visualization.confusion import plot_confusion
from handkp_plugins.visualization.report import format_table


def edit_distance(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> int:
    """Levenshtein's: the fewest substitutions, deletions and insertions that turn one sequence into the other."""
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(hypothesis, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def word_error_rate(references: Sequence[Sequence[Hashable]], hypotheses: Sequence[Sequence[Hashable]]) -> float:
    """WER: substitutions, deletions and insertions over the words of the references; NaN where these have none.

    It may exceed 1. Of clips with one sign each it is 1 − accuracy.

    Raises:
        ValueError: there are not as many hypotheses as references.
    """
    if len(references) != len(hypotheses):
        raise ValueError(f'hypotheses: expected {len(references)}, one a reference, got {len(hypotheses)}')
    words = sum(map(len, references))
    errors = sum(edit_distance(r, h) for r, h in zip(references, hypotheses, strict=True))
    return errors / words if words else float('nan')


@METRICS.register_module()
class GestureMetric(BaseMetric):
    """``accuracy``, ``mean_recall`` (of the classes that occur) and ``WER``, with each sample as a clip of one sign.

    The recall of each class and the confusion matrix go to the log.

    Args:
        picture_file: where to draw the confusion matrix (``.png``, ``.svg``, …); ``None`` for nowhere.
        json_file: where to write ``classes``, ``recall`` (null for a class that does not occur) and ``confusion``,
            whose rows are the true classes. Each evaluation writes both files anew. Folders are made.
        kwargs: those of ``BaseMetric``.
    """

    def __init__(self, picture_file: str | None = None, json_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if picture_file is not None and not Path(picture_file).suffix:
            raise ValueError(f'picture_file: expected a name with .png, .svg or alike, got {picture_file!r}')
        self.picture_file = picture_file
        self.json_file = json_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the true and the predicted class of each sample."""
        self.results += [(sample['gt_label'], sample['pred_label']) for sample in data_samples]

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict[str, float]:
        """The scores of all samples."""
        truth, predicted = np.array(results).T
        names = list((self.dataset_meta or {}).get('classes') or map(str, range(1 + max(truth.max(), predicted.max()))))
        counts = confusion_matrix(truth, predicted, labels=range(len(names)))
        occurring = counts.sum(1)
        recall = np.divide(counts.diagonal(), occurring, out=np.full(len(names), np.nan), where=occurring > 0)
        rows = [
            (name, '–' if np.isnan(r) else f'{r:.4f}', *map(str, row))
            for name, r, row in zip(names, recall, counts, strict=True)
        ]
        table = format_table([('true class', 'recall', *names), *rows])
        print_log(f'recall, and how often each class was taken for which\n{table}', logger='current')
        if self.json_file is not None:
            shares = [None if np.isnan(r) else float(r) for r in recall]
            write_text(
                self.json_file, json.dumps(dict(classes=names, recall=shares, confusion=counts.tolist()), indent=1)
            )
        if self.picture_file is not None:
            plot_confusion(names, counts, self.picture_file)
        return dict(
            accuracy=float((truth == predicted).mean()),
            mean_recall=float(np.nanmean(recall)),
            WER=word_error_rate([[t] for t in truth.tolist()], [[p] for p in predicted.tolist()]),
        )
