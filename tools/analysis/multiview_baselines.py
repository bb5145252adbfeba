"""Compare the hand that HaMuCo joins from several views with triangulations of the same 2D labels.

    python tools/analysis/multiview_baselines.py CONFIG CHECKPOINT --views 2 3 4

For each number of views, the first cameras of every frame of the test set are used, with their 2D labels
(pseudo_keypoints) and true 3D joints. Prints in mm the MPJPE in the world, relative to keypoint 9 and after Procrustes
(PA), and N-JE:

    DLT, weighted DLT, RANSAC       of the 2D labels
    fused                           the network's fused hand; it has no place in the world
    Opt-Center                      the fused hand, moved onto the network's 2D keypoints in all views
    Opt-Center, sized               the same, scaled, too
    network's 2D, RANSAC            the network's 2D keypoints, triangulated
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from torch import nn
from tqdm import tqdm

from handkp_plugins.apis.inference import init_model
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.datasets.hand import HandViewDataset
from handkp_plugins.evaluation.functional.camera_space import joint_errors
from handkp_plugins.evaluation.functional.hand_mesh import (
    procrustes_errors,
    root_relative_errors,
    size_normalized_errors,
)
from handkp_plugins.evaluation.triangulation import (
    optimal_center,
    projection_matrices,
    triangulate_dlt,
    triangulate_ransac,
)
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.structures.crops import to_image_space

_FRAMES = 16  # that go through the network at once
Scores = dict[str, dict[str, float]]


def main(
    config: str | Path,
    checkpoint: str | Path,
    views: Sequence[int] = (2, 3, 4),
    device: str = 'auto',
    output: str | Path | None = None,
) -> dict[int, Scores]:
    """Return the scores by number of views and method. The arguments are the options of the command line.

    Raises:
        ValueError: The network is not one of several views, or a frame has too few views, no cameras or no truth.
    """
    model = init_model(config, checkpoint, device)
    if getattr(model.head, 'cross', None) is None:
        raise ValueError(f'{config}: expected a network of several views (HaMuCoHead with cross_view), got another one')
    init_default_scope('mmpose')
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    frames = _frames(dataset, max(views))
    results = {}
    for number in views:
        results[number] = _scores(model, dataset, [frame[:number] for frame in frames])
        print(f'\n{number} views, {len(frames)} frames        MPJPE  relative        PA      N-JE')
        for method, scores in results[number].items():
            print(f'{method:28}' + ''.join(f'{scores[key]:10.2f}' for key in ('world', 'relative', 'PA', 'N-JE')))
    if output:
        write_text(output, json.dumps(results))
    return results


def _frames(dataset: HandViewDataset, views: int) -> list[list[int]]:
    """Return the samples of each frame, by camera."""
    places: dict[int, list[tuple[int, int]]] = {}
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        for name in ('camera', 'view_rotation', 'view_translation', 'keypoints_3d'):
            if name not in info:
                raise ValueError(f'{dataset.ann_file}: image {info["img_id"]}: {name}: expected in each view, got none')
        places.setdefault(info['frame_id'], []).append((info['view_id'], i))
    for frame, found in places.items():
        if len(found) < views:
            raise ValueError(f'{dataset.ann_file}: frame {frame}: expected {views} views, got {len(found)}')
    return [[i for _, i in sorted(found)] for found in places.values()]


def _scores(model: nn.Module, dataset: HandViewDataset, frames: list[list[int]]) -> Scores:
    truth, hands = [], {}
    for start in tqdm(range(0, len(frames), _FRAMES), unit='batch', disable=None):
        chosen = frames[start : start + _FRAMES]
        with torch.no_grad():
            samples = model.test_step(pseudo_collate([dataset[i] for frame in chosen for i in frame]))
        for k, frame in enumerate(chosen):
            true, found = _frame(
                [dataset.get_data_info(i) for i in frame], samples[k * len(frame) : (k + 1) * len(frame)]
            )
            truth.append(true)
            for method, hand in found.items():
                hands.setdefault(method, []).append(hand)
    true = 1000 * np.stack(truth)
    return {method: _errors(1000 * np.stack(found), true, method != 'fused') for method, found in hands.items()}


def _frame(infos: list[dict], samples: Sequence) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the true hand (21, 3) of a frame in the world, and those of all methods, in metres."""
    rotations, shifts = (np.stack([i[name] for i in infos]) for name in ('view_rotation', 'view_translation'))
    projections = projection_matrices(np.stack([i['camera'] for i in infos]), rotations, shifts)
    truth = (infos[0]['keypoints_3d'][0] - shifts[0]) @ rotations[0]
    labels = np.stack([i['keypoints'][0] for i in infos])
    weights = np.stack([i['keypoints_visible'][0] for i in infos])
    fused = samples[0].pred_instances.fused_keypoints_3d[0] @ rotations[0]
    found = np.stack([
        to_image_space(s.pred_instances.multi_view_keypoints[0], s.input_center, s.input_scale, s.input_size)
        for s in samples
    ])  # fmt: skip
    return truth, {
        'DLT': triangulate_dlt(labels, projections).points,
        'weighted DLT': triangulate_dlt(labels, projections, weights).points,
        'RANSAC': triangulate_ransac(labels, projections).points,
        'fused': fused,
        'Opt-Center': optimal_center(fused, found, projections),
        'Opt-Center, sized': optimal_center(fused, found, projections, with_size=True),
        "network's 2D, RANSAC": triangulate_ransac(found, projections).points,
    }


def _errors(hands: np.ndarray, truth: np.ndarray, placed: bool) -> dict[str, float]:
    kinds = dict(world=joint_errors, relative=root_relative_errors, PA=procrustes_errors)
    kinds['N-JE'] = size_normalized_errors
    return {
        name: float(kind(hands, truth).mean()) if placed or name != 'world' else float('nan')
        for name, kind in kinds.items()
    }


def parse_args(arguments: Iterable[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of HaMuCo, with calibrated views to test on')
    parser.add_argument('checkpoint')
    parser.add_argument('--views', type=int, nargs='+', default=[2, 3, 4], metavar='V', help='(default 2 3 4)')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--output', metavar='JSON', help='write the scores')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments))
