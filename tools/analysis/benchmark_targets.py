"""Compare targets made on the device (GaussianHeatmap) with MMPose's targets made in the loader (MSRAHeatmap).

Both turn the same random keypoints into the batch of maps for the loss, through the same transforms and a loader with
one worker, without images. For each map size it prints, per sample and as MMPose's / ours / ratio:

    making      milliseconds to compute the maps
    total       milliseconds from the annotation through the loader to the batch of maps on the device
    transfer    kilobytes of targets and labels from the worker to the training process

The two alternate; each time is the median of the rounds.

Example:
    python tools/analysis/benchmark_targets.py --sizes 256 --strides 1
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.datasets.transforms import GenerateTarget, PackPoseInputs
from mmpose.registry import KEYPOINT_CODECS
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.codecs import GaussianHeatmap

NUM_KEYPOINTS = 21
VARIANCE = 3.0


class Cost(NamedTuple):
    """Per sample: seconds to compute the maps, seconds in total, bytes from worker to trainer."""

    making: float
    total: float
    transfer: int


class _Keypoints(Dataset):
    """Random keypoints through ``GenerateTarget`` and ``PackPoseInputs``, as in a training pipeline."""

    def __init__(self, encoder: dict, size: int, length: int) -> None:
        self.steps = [GenerateTarget(encoder=encoder), PackPoseInputs()]
        self.size = size
        self.length = length
        self.image = np.zeros((1, 1, 3), np.uint8)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        points = np.random.default_rng(index).uniform(0, self.size, (1, NUM_KEYPOINTS, 2)).astype(np.float32)
        visible = np.ones((1, NUM_KEYPOINTS), np.float32)
        results = dict(img=self.image, transformed_keypoints=points, keypoints_visible=visible)
        for step in self.steps:
            results = step(results)
        return results


def maps_of_loader(samples: list[PoseDataSample], device: str) -> Tensor:
    """Stack the samples' maps, as MMPose's head does."""
    return torch.stack([s.gt_fields.heatmaps.to(device) for s in samples])


def maps_of_device(samples: list[PoseDataSample], device: str, codec: GaussianHeatmap) -> Tensor:
    """Stack the keypoints and make the maps, as our head does."""
    points = torch.cat([s.gt_instance_labels.keypoint_labels.to(device) for s in samples])
    weights = torch.cat([s.gt_instance_labels.keypoint_weights.to(device) for s in samples])
    return codec.make_heatmaps(points, weights)


def num_bytes(sample: PoseDataSample) -> int:
    """Return the bytes of the tensors of one sample."""
    parts = [sample.gt_instance_labels] + ([sample.gt_fields] if 'gt_fields' in sample else [])
    return sum(v.nbytes for part in parts for v in part.values())


def time_loader(dataset: Dataset, make_maps: Callable, batch_size: int, device: str) -> tuple[float, int]:
    """Return seconds and bytes per sample over all batches but the first, which also starts the worker."""
    loader = iter(DataLoader(dataset, batch_size, num_workers=1, collate_fn=pseudo_collate))
    make_maps(next(loader)['data_samples'], device)
    start, count = time.perf_counter(), 0
    for batch in loader:
        make_maps(batch['data_samples'], device)
        count += len(batch['data_samples'])
    synchronize(device)
    return (time.perf_counter() - start) / count, num_bytes(batch['data_samples'][0])


def time_making(make: Callable[[], object], repeats: int, device: str) -> float:
    """Return the seconds of one call."""
    make()
    synchronize(device)
    start = time.perf_counter()
    for _ in range(repeats):
        make()
    synchronize(device)
    return (time.perf_counter() - start) / repeats


def synchronize(device: str) -> None:
    """Wait for the GPU."""
    if device != 'cpu':
        torch.cuda.synchronize()


def compare(size: int, stride: int, batch_size: int, batches: int, rounds: int, device: str) -> tuple[Cost, Cost]:
    """Measure MMPose's way and ours."""
    common = dict(input_size=(size, size), heatmap_size=(size // stride, size // stride))
    msra = dict(type='MSRAHeatmap', sigma=VARIANCE**0.5 / stride, **common)
    ours = dict(type='GaussianHeatmap', variance=VARIANCE, **common)
    encode, codec = KEYPOINT_CODECS.build(msra).encode, KEYPOINT_CODECS.build(ours)
    points = torch.rand(batch_size, NUM_KEYPOINTS, 2) * size
    one, batch = points[:1].numpy(), points.to(device)
    ways = [
        (msra, maps_of_loader, lambda: encode(one), 1),
        (ours, partial(maps_of_device, codec=codec), lambda: codec.make_heatmaps(batch), batch_size),
    ]
    runs: list[list[Cost]] = [[], []]
    for _ in range(rounds):
        for run, (cfg, make_maps, make, samples) in zip(runs, ways, strict=True):
            making = time_making(make, batch_size // samples * batches, device) / samples
            dataset = _Keypoints(cfg, size, batch_size * batches)
            run.append(Cost(making, *time_loader(dataset, make_maps, batch_size, device)))
    return tuple(Cost(*map(statistics.median, zip(*run, strict=True))) for run in runs)


def main(
    sizes: Sequence[int] = (128, 256),
    strides: Sequence[int] = (1, 4),
    batch_size: int = 16,
    batches: int = 9,
    rounds: int = 5,
    device: str = 'auto',
) -> list[tuple[Cost, Cost]]:
    """Print the table; return its rows: MMPose's cost and ours."""
    init_default_scope('mmpose')
    device = ('cuda' if torch.cuda.is_available() else 'cpu') if device == 'auto' else device
    print(f'device {device}, {torch.get_num_threads()} threads, batch {batch_size}, {NUM_KEYPOINTS} keypoints')
    print('| input | stride | making, ms | total, ms | transfer, kB |')
    print('|---|---|---|---|---|')
    rows = []
    for size, stride in product(sizes, strides):
        costs = compare(size, stride, batch_size, batches, rounds, device)
        rows.append(costs)
        cells = [
            f'{scale * a:.2f} / {scale * b:.2f} / {a / b:.1f}'
            for a, b, scale in zip(*costs, (1e3, 1e3, 1e-3), strict=True)
        ]
        print(f'| {size}² | {stride} | {" | ".join(cells)} |', flush=True)
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--sizes', type=int, nargs='+', default=(128, 256), help='sides of the square input')
    parser.add_argument('--strides', type=int, nargs='+', default=(1, 4), help='strides of the maps')
    parser.add_argument('--batch-size', type=int, default=16)
    parser.add_argument('--batches', type=int, default=9, help='batches per round; the first is not timed')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
