"""Acceleration error: how unsteady predictions on videos are."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS

from ..functional.distances import acceleration_errors
from .pixel import sample_points


@METRICS.register_module()
class AccelerationError(BaseMetric):
    """``acceleration_error``: mean of :func:`acceleration_errors` over frames and keypoints, in pixels of the image per
    frame² (hand keypoint transformer, section 4).

    Samples carry ``video_id`` and ``frame_id`` (:class:`HandVideoDataset` with :class:`PackHandInputs`) and one hand
    each, in any order. Only three consecutive frames in which a keypoint is labelled count. A video without any is
    skipped, counted and named in a warning.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add each sample's place in its video and its keypoints."""
        for sample in data_samples:
            if 'video_id' not in sample or 'frame_id' not in sample:
                raise ValueError(
                    'AccelerationError: expected samples with video_id and frame_id, as HandVideoDataset and '
                    f'PackHandInputs make them, got {sample.get("img_path", "one")} without'
                )
            points = sample_points(sample)
            if len(points[0]) != 1:
                raise ValueError(
                    f'AccelerationError: expected one hand a frame, got {len(points[0])} in frame '
                    f'{sample["frame_id"]} of video {sample["video_id"]!r}'
                )
            self.results.append((sample['video_id'], sample['frame_id'], *points))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Return the mean error; the mean acceleration of the truth, which is the error of a prediction that stands
        still; the number of terms in both; and the number of skipped videos."""
        videos: dict[Any, list[tuple]] = defaultdict(list)
        for video, *frame in results:
            videos[video].append(tuple(frame))
        errors, own, skipped = [], [], []
        for video, frames in videos.items():
            indices, *points = zip(*frames, strict=True)
            predicted, truth, labelled = map(np.concatenate, points)
            try:
                found = acceleration_errors(predicted, truth, labelled, np.array(indices))
            except ValueError as e:
                raise ValueError(f'video {video!r}: {e}') from None
            errors.append(found)
            own.append(acceleration_errors(np.zeros_like(truth), truth, labelled, np.array(indices)))
            if not len(found):
                skipped.append(f'{video!r} ({len(frames)} frames)')
        if skipped:
            print_log(
                f'AccelerationError: skipped {len(skipped)} of {len(videos)} videos, without three consecutive frames '
                f'in which a keypoint is labelled: {", ".join(skipped)}',
                logger='current',
                level=logging.WARNING,
            )
        terms = [np.concatenate(errors), np.concatenate(own)]
        means = [float(t.mean()) if len(t) else float('nan') for t in terms]
        return dict(
            acceleration_error=means[0],
            acceleration_of_truth=means[1],
            acceleration_terms=len(terms[0]),
            acceleration_skipped_videos=len(skipped),
        )
