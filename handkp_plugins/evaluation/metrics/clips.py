"""Scores of clips: 3D hand poses, the action of each video and the object of each frame.

Samples are clips of T frames with ``video_id``, ``frame_id`` (T,) and ``frame_valid`` (T,) as :class:`HandClipDataset`
makes them. Only valid frames count, and each frame of a video counts once, even if several clips or processes have it.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS

from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..functional.camera_space import area_under_curve, joint_errors, mean_error, pck3d_curve, root_aligned
from .gestures import GestureMetric

HANDS = ('left', 'right')


@METRICS.register_module()
class HandPose3DMetric(BaseMetric):
    """``AUC`` of the 3D PCK and ``MEPE`` in mm of each hand, in the camera's space and with aligned wrists (``-RA``).

    The wrist itself is left out where it is aligned (HTT, Figures 4 and 5). Keys are ``AUC``, ``AUC-RA``, ``MEPE`` and
    ``MEPE-RA``, followed by ``/left`` and ``/right`` where there are two hands.

    Args:
        hands: The hands of a sample, 21 joints each: ('right',) or ('left', 'right').
        max_distance: The last threshold in the camera's space, in mm; the first is 0. FPHA 80, H2O 90.
        max_aligned: The last threshold with aligned wrists.
        step: Between thresholds, in mm.
        occlusion: Also give ``MEPE`` and ``MEPE-RA`` of visible and of occluded joints apart: keys followed by
            ``/visible`` and ``/occluded``. Samples need ``keypoints_occluded`` (T, J).
        curve_file: Where to write the curves as JSON: ``thresholds``, ``thresholds-RA``, and ``PCK`` and ``PCK-RA`` by
            hand; ``None`` for nowhere. Folders are made.
        kwargs: Those of ``BaseMetric``.
    """

    def __init__(
        self,
        hands: Sequence[str] = ('right',),
        max_distance: float = 80.0,
        max_aligned: float = 50.0,
        step: float = 2.5,
        occlusion: bool = False,
        curve_file: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not hands or [h for h in HANDS if h in hands] != list(hands):
            raise ValueError(f"hands: expected 'left', 'right' or both in this order, got {tuple(hands)}")
        for name, value in dict(max_distance=max_distance, max_aligned=max_aligned).items():
            if not 0 < step <= value or (value / step) % 1:
                raise ValueError(f'{name}: expected a multiple of step {step:g}, got {value:g}')
        self.hands = tuple(hands)
        self.thresholds = np.arange(0, max_distance + step / 2, step)
        self.aligned_thresholds = np.arange(0, max_aligned + step / 2, step)
        self.occlusion = occlusion
        self.curve_file = curve_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the joints of each clip's valid frames in mm, one result per sample."""
        joints = NUM_KEYPOINTS * len(self.hands)
        for sample in data_samples:
            valid = np.asarray(sample['frame_valid'], bool)
            truth, labelled = (np.asarray(sample['gt_instances'][k]) for k in ('keypoints', 'keypoints_visible'))
            predicted = np.asarray(sample['pred_instances']['keypoints_3d'])
            if truth.shape[1] != joints or predicted.shape[1] != joints:
                raise ValueError(
                    f'hands: expected {joints} joints for {", ".join(self.hands)}, got {truth.shape[1]} labelled and '
                    f'{predicted.shape[1]} predicted ones'
                )
            frames = np.asarray(sample['frame_id'])[valid]
            if self.occlusion and 'keypoints_occluded' not in sample:
                raise ValueError('occlusion: expected data that tells occluded joints (keypoints), got none')
            occluded = np.asarray(sample['keypoints_occluded'] if self.occlusion else np.zeros_like(labelled), bool)
            points = (1000 * predicted[valid], 1000 * truth[valid], labelled[valid] > 0, occluded[valid])
            self.results.append((sample['video_id'], frames, *points))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the scores of all frames."""
        parts = (np.stack(part) for part in zip(*_each_frame_once(results), strict=True))
        predicted, truth, labelled, occluded = parts
        scores: dict[str, float] = {}
        curves: dict[str, Any] = {'thresholds': self.thresholds, 'thresholds-RA': self.aligned_thresholds}
        for i, hand in enumerate(self.hands):
            own = slice(i * NUM_KEYPOINTS, (i + 1) * NUM_KEYPOINTS)
            points, known = (predicted[:, own], truth[:, own]), labelled[:, own]
            if not known.any():
                print_log(f'HandPose3DMetric: no {hand} hand is labelled', logger='current', level=logging.WARNING)
            aligned = tuple(map(root_aligned, points))
            both, hidden = known[:, 1:] & known[:, :1], occluded[:, own]
            for kind, pair, mask, behind, thresholds in (
                ('', points, known, hidden, self.thresholds),
                ('-RA', aligned, both, hidden[:, 1:], self.aligned_thresholds),
            ):
                errors = joint_errors(*pair)
                curve = pck3d_curve(errors, mask, thresholds)
                suffix = kind + (f'/{hand}' if len(self.hands) > 1 else '')
                scores[f'AUC{suffix}'] = area_under_curve(curve, thresholds)
                scores[f'MEPE{suffix}'] = mean_error(errors, mask)
                if self.occlusion:
                    scores[f'MEPE{suffix}/visible'] = mean_error(errors, mask & ~behind)
                    scores[f'MEPE{suffix}/occluded'] = mean_error(errors, mask & behind)
                curves.setdefault(f'PCK{kind}', {})[hand] = curve
        if self.curve_file is not None:
            write_text(self.curve_file, json.dumps(curves, default=np.ndarray.tolist))
        return scores


@METRICS.register_module()
class ClipActionMetric(GestureMetric):
    """``action_accuracy`` and ``action_mean_recall`` by video: probabilities are summed over its clips (HTT's code).

    Recall of each action, confusion matrix and files are those of :class:`GestureMetric`.

    Args:
        kwargs: Those of :class:`GestureMetric`.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add video, first frame, true action and probabilities of each clip."""
        for sample in data_samples:
            first = int(np.asarray(sample['frame_id'])[0])
            scores = np.asarray(sample['pred_action_scores'], np.float64)
            self.results.append((sample['video_id'], first, sample['action'], scores))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the scores of all videos."""
        clips = {(video, first): (truth, scores) for video, first, truth, scores in results}
        truths = {video: truth for (video, _), (truth, _) in clips.items()}
        sums: dict[Any, np.ndarray] = {}
        for (video, _), (_, scores) in sorted(clips.items(), key=lambda item: str(item[0])):
            sums[video] = sums.get(video, 0) + scores
        scores = super().compute_metrics([(truths[video], int(total.argmax())) for video, total in sums.items()])
        return {f'action_{name}': scores[name] for name in ('accuracy', 'mean_recall')}


@METRICS.register_module()
class ClipObjectMetric(BaseMetric):
    """``object_accuracy``: share of valid frames whose most probable object is that of their video."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add whether the object of each valid frame is right, one result per sample."""
        objects = (self.dataset_meta or {}).get('objects')
        for sample in data_samples:
            number = np.shape(sample['pred_instances']['object_scores'])[1]
            if objects is not None and number != len(objects):
                raise ValueError(f'num_objects: expected {len(objects)}, the objects of the data, got {number}')
            valid = np.asarray(sample['frame_valid'], bool)
            found = np.asarray(sample['pred_instances']['object_scores'])[valid].argmax(1)
            self.results.append((sample['video_id'], np.asarray(sample['frame_id'])[valid], found == sample['object']))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the share of all frames."""
        return dict(object_accuracy=float(np.mean([hit for (hit,) in _each_frame_once(results)])))


def _each_frame_once(results: list[tuple]) -> Iterator[tuple]:
    """Results (video, frames (V,), arrays (V, …)) → for each frame of a video, once, its entries of the arrays.

    In a distributed test the sampler may repeat clips, and clips may overlap.
    """
    seen = set()
    for video, frames, *arrays in results:
        for i, frame in enumerate(frames.tolist()):
            if (video, frame) not in seen:
                seen.add((video, frame))
                yield tuple(array[i] for array in arrays)
