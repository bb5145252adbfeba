"""Metrics in two processes count each sample once, whatever the sampler padded."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch.distributed
import torch.multiprocessing
from helpers.keypoint_sample import keypoint_sample
from mmengine.dataset import DefaultSampler

from handkp_plugins.evaluation import AccelerationError, HandMeshMetric, HeatmapPCK, MPJPEAtThreshold


def _evaluate_on_rank(rank: int, folder: Path, size: int, round_up: bool) -> None:
    os.chdir(folder)  # MMEngine exchanges results through a folder below the current one
    torch.distributed.init_process_group('gloo', f'file://{folder}/init', rank=rank, world_size=2)
    indices = list(DefaultSampler(range(size), shuffle=False, round_up=round_up, seed=0))
    scores = {}
    for metric in (MPJPEAtThreshold(thresholds=[1e6]), AccelerationError(), HeatmapPCK()):
        for batch in (indices[:4], indices[4:]):  # frame i is off by i³ pixels: second differences are 6 (i + 1)
            metric.process({}, [keypoint_sample([i**3], [1], video_id=0, frame_id=i) for i in batch])
        scores |= metric.evaluate(size)
    (folder / f'rank{rank}.json').write_text(json.dumps(scores))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('round_up', [False, True])
@pytest.mark.parametrize('size', [1, 2, 13])
def test_each_sample_counts_once(size: int, round_up: bool, tmp_path: Path):
    """Neighbouring frames are on different ranks. Only frames 0 and 1 are closer than 0.03 · 100 pixels."""
    torch.multiprocessing.start_processes(_evaluate_on_rank, (tmp_path, size, round_up), nprocs=2, start_method='fork')
    for rank in (0, 1):
        scores = json.loads((tmp_path / f'rank{rank}.json').read_text())
        assert scores['N'] == size
        assert scores['MPJPE@1e+06px'] == pytest.approx(np.mean([i**3 for i in range(size)]))
        assert scores['PCK@0.03heatmap'] == pytest.approx(min(2, size) / size)
        assert scores['acceleration_terms'] == max(0, size - 2)
        if size > 2:
            assert scores['acceleration_error'] == pytest.approx(np.mean([6 * (i + 1) for i in range(size - 2)]))


def _score_groups_on_rank(rank: int, folder: Path, dealt: list[list[int]]) -> None:
    os.chdir(folder)
    torch.distributed.init_process_group('gloo', f'file://{folder}/init', rank=rank, world_size=2)
    metric, truth = HandMeshMetric(), np.random.default_rng(0).normal(0, 0.04, (1, 21, 3))
    for i in dealt[rank]:
        predicted = truth.copy()
        predicted[0, 4, 0] += 0.021 * i
        metric.process({}, [dict(img_id=i, keypoints_3d=truth, pred_instances=dict(keypoints_3d=predicted))])
    scores = metric.evaluate(len({i for share in dealt for i in share}))
    (folder / f'rank{rank}.json').write_text(json.dumps(scores))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('dealt', [[[0, 1, 4, 5], [2, 3, 0, 1]], [[0, 1], [2]], [[0], [0]]])
def test_each_view_of_a_group_counts_once(dealt: list[list[int]], tmp_path: Path):
    """Groups of two views, the last process with the first group again: it stands between results that count."""
    torch.multiprocessing.start_processes(_score_groups_on_rank, (tmp_path, dealt), nprocs=2, start_method='fork')
    for rank in (0, 1):
        scores = json.loads((tmp_path / f'rank{rank}.json').read_text())
        assert scores['MPJPE'] == pytest.approx(np.mean(list({i for share in dealt for i in share})))
