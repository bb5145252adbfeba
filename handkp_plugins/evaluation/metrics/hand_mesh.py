"""Scores of 3D hands, joints and meshes, relative to the middle finger's root."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..functional.hand_mesh import (
    error_auc,
    f_scores,
    procrustes_align,
    procrustes_errors,
    root_relative_errors,
    size_normalized_errors,
)

_FIELD, _VERTICES = 'keypoints_3d', 'vertices'
_THRESHOLDS = (5, 15)  # mm, of the F-scores


@METRICS.register_module()
class HandMeshMetric(BaseMetric):
    """``MPJPE`` (relative to the root), ``PA-MPJPE``, ``N-JE`` in mm and ``AUC`` of PA-MPJPE; with vertices also
    ``PA-VE`` in mm, ``F@5`` and ``F@15`` (:mod:`handkp_plugins.evaluation.functional.hand_mesh`).

    A sample is one hand: ``pred_instances[field]`` (1, 21, 3) in metres and the camera's axes, with any origin, and the
    truth ``keypoints_3d`` (1, 21, 3) in metres in the camera's frame, packed by :class:`PackHandInputs`. If it has the
    truth ``vertices`` (V, 3) and ``pred_instances`` has vertices (1, W, 3), these are scored. For W ≠ V the joints'
    alignment moves the vertices, and there is no PA-VE, as in FreiHAND's script. Each hand counts once, whatever
    samples the processes repeat: it is known by ``img_id``, ``id`` and ``img_path``.

    Args:
        field: ``keypoints_3d``, or what comes before it names another prediction, whose vertices are named alike:
            ``fused_keypoints_3d`` and ``fused_vertices``.
        kwargs: Those of ``BaseMetric``; ``prefix`` tells the scores of several fields apart.
    """

    def __init__(self, field: str = _FIELD, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not field.endswith(_FIELD):
            raise ValueError(f'field: expected a name that ends in {_FIELD}, got {field!r}')
        self.field, self.vertices = field, field.removesuffix(_FIELD) + _VERTICES

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the errors of each sample's joints and vertices, one result per sample."""
        for sample in data_samples:
            where = f'image {sample.get("img_path", sample.get("img_id"))}'
            predictions = sample['pred_instances']
            for place, key, where_to in ((sample, 'img_id', 'the sample'), (sample, _FIELD, 'the sample'),
                                         (predictions, self.field, 'pred_instances')):  # fmt: skip
                if key not in place:
                    raise ValueError(f'{where}: {key}: expected in {where_to}, got {", ".join(sorted(place))}')
            predicted, truth = _in_mm(predictions[self.field]), _in_mm(sample[_FIELD])
            for name, points in ((self.field, predicted), (_FIELD, truth)):
                if points.shape != (1, NUM_KEYPOINTS, 3):
                    raise ValueError(f'{where}: {name}: expected shape (1, {NUM_KEYPOINTS}, 3), got {points.shape}')
            if not np.isfinite(truth).all():
                raise ValueError(f'{where}: {_FIELD}: expected finite true coordinates, got NaN or infinity')
            errors = [kind(predicted, truth) for kind in (root_relative_errors, procrustes_errors,
                                                          size_normalized_errors)]  # fmt: skip
            mesh = None
            if _VERTICES in sample and self.vertices in predictions:
                vertices = _in_mm(predictions[self.vertices]), _in_mm(sample[_VERTICES])[None]
                mesh = _mesh_scores(predicted, truth, *vertices)
            hand = tuple(str(sample.get(key)) for key in ('img_path', 'img_id', 'id'))
            self.results.append((hand, np.concatenate(errors), mesh))

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the scores; MMEngine may cut none of the results, because a sampler of groups pads anywhere."""
        return super().evaluate(sys.maxsize)

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the scores of all hands."""
        hands = {hand: rest for hand, *rest in results}
        errors, meshes = zip(*hands.values(), strict=True)
        relative, aligned, normalized = np.stack(errors, axis=1)
        scores = {'MPJPE': relative.mean(), 'PA-MPJPE': aligned.mean(), 'N-JE': normalized.mean()}
        scores['AUC'] = error_auc(aligned)
        with_mesh = [mesh for mesh in meshes if mesh is not None]
        if len(with_mesh) not in (0, len(meshes)):
            raise ValueError(
                f'{self.vertices}: expected in all samples or in none, got in {len(with_mesh)} of {len(meshes)}'
            )
        if with_mesh:
            error, *shares = np.mean(with_mesh, axis=0)
            scores |= {} if np.isnan(error) else {'PA-VE': error}
            scores |= {f'F@{t}': share for t, share in zip(_THRESHOLDS, shares, strict=True)}
        return {name: float(score) for name, score in scores.items()}


def _in_mm(points: Any) -> np.ndarray:
    return 1000 * torch.as_tensor(points).cpu().numpy().astype(np.float64)


def _mesh_scores(predicted: np.ndarray, truth: np.ndarray, vertices: np.ndarray, true: np.ndarray) -> list[float]:
    """Return PA-VE, NaN between meshes of different kinds, and the F-scores of one hand."""
    if vertices.shape == true.shape:
        aligned = procrustes_align(vertices, true)
        error = procrustes_errors(vertices, true).mean()
    else:
        aligned, error = procrustes_align(predicted, truth, vertices), float('nan')
    return [error, *f_scores(aligned, true, _THRESHOLDS)[0]]
