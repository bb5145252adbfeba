"""How many hands a detector finds, and how many of its boxes are on no hand."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from handkp_plugins.structures.boxes import box_iou


@METRICS.register_module()
class HandBoxErrors(BaseMetric):
    """``recall@S`` and ``false@S`` of boxes that score S or more, as a demo with this threshold would show them.

    Recall is the share of labelled hands that have a box of an IoU of ``found_iou`` or more. False boxes are those
    whose IoU with each label is below ``false_iou``, per image. Keys are followed by ``/FOLDER`` for the images of one
    folder. Without labelled hands there is no recall.

    Args:
        score_thrs: The thresholds S.
        found_iou: At least this IoU for a found hand.
        false_iou: Below this IoU a box is false. Boxes between the two are neither.
        by_folder: Whether to add the scores of each folder of images.
        kwargs: Those of ``BaseMetric``.
    """

    def __init__(
        self,
        score_thrs: Sequence[float] = (0.3, 0.4, 0.5),
        found_iou: float = 0.5,
        false_iou: float = 0.3,
        by_folder: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < false_iou <= found_iou <= 1:
            raise ValueError(f'false_iou, found_iou: expected 0 < false ≤ found ≤ 1, got {false_iou}, {found_iou}')
        self.score_thrs = tuple(score_thrs)
        self.found_iou = found_iou
        self.false_iou = false_iou
        self.by_folder = by_folder

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add folder, number of hands, and found hands and false boxes at each threshold, one result per image."""
        for sample in data_samples:
            fields = ('gt', 'bboxes'), ('pred', 'bboxes'), ('pred', 'scores')
            arrays = (torch.as_tensor(sample[f'{kind}_instances'][key]).cpu().numpy() for kind, key in fields)
            labels, boxes, scores = arrays
            overlaps = box_iou(labels, boxes)  # hands × boxes
            kept = [overlaps[:, scores >= threshold] for threshold in self.score_thrs]
            found = [(o.max(1, initial=0) >= self.found_iou).sum() for o in kept]
            false = [(o.max(0, initial=0) < self.false_iou).sum() for o in kept]
            self.results.append((Path(sample['img_path']).parent.name, len(labels), found, false))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the scores of all images, and of each folder."""
        groups = defaultdict(list)
        for folder, *counts in results:
            groups[''].append(counts)
            if self.by_folder:
                groups[f'/{folder}'].append(counts)
        scores = {}
        for group in sorted(groups):
            hands, found, false = (np.array(part) for part in zip(*groups[group], strict=True))
            for i, threshold in enumerate(self.score_thrs):
                if hands.sum():
                    scores[f'recall@{threshold:g}{group}'] = float(found[:, i].sum() / hands.sum())
                scores[f'false@{threshold:g}{group}'] = float(false[:, i].mean())
        return scores
