"""Scores on the test clips of a config without a network: the mean training pose, and chance.

Example:
    python tools/analysis/clip_baselines.py configs/htt/htt_small_generated-96x72.py --out baselines.json

The mean pose is that of the training frames in the camera's space, the same for each test frame. Its scores are those
of the config's pose metric, with the same keys as in the JSON of ``tools/test.py``. ``action_accuracy`` is 1 over the
number of actions, ``object_accuracy`` the share of test frames with the object that the training has most often.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
from mmpose.registry import DATASETS, METRICS

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.datasets.hand import HandClipDataset
from handkp_plugins.engine.config import load_config
from handkp_plugins.fileio.atomic import write_text


def main(config: str | Path, data_root: str | None = None, out: str | Path | None = None) -> dict[str, float]:
    """Print and return the scores.

    Args:
        config: Of an HTT.
        data_root: Folder of the data instead of the config's.
        out: JSON file for the scores.

    Raises:
        FileNotFoundError: An annotation file is missing.
        ValueError: The config is not for clips, or its data do not fit.
    """
    cfg = load_config(config)
    parts = [cfg.train_dataloader.dataset, cfg.test_dataloader.dataset]
    if any(part.type != 'HandClipDataset' for part in parts):
        raise ValueError(f'{config}: dataset: expected HandClipDataset, got {parts[0].type}')
    root = {} if data_root is None else dict(data_root=str(data_root))
    train, test = (DATASETS.build(dict(part, pipeline=[], **root)) for part in parts)
    pose = _mean_pose(train)
    metric = METRICS.build(cfg.test_evaluator[0])
    metric.dataset_meta = test.metainfo
    for video in test.videos:
        sample = dict(
            video_id=video.id,
            frame_id=np.arange(len(video)),
            frame_valid=np.ones(len(video), bool),
            gt_instances=dict(keypoints=video.keypoints, keypoints_visible=video.weights),
            pred_instances=dict(keypoints_3d=np.broadcast_to(pose, video.keypoints.shape)),
        )
        if video.occluded is not None:
            sample['keypoints_occluded'] = video.occluded
        metric.process({}, [sample])
    scores = metric.compute_metrics(metric.results)
    usual = _frames_of_objects(train).most_common(1)[0][0]
    objects = _frames_of_objects(test)
    scores |= dict(action_accuracy=1 / len(test.metainfo['classes']), object_accuracy=objects[usual] / objects.total())
    print('\n'.join(['| score | mean pose, chance |', '|---|---|'] + [f'| {k} | {v:.4g} |' for k, v in scores.items()]))
    if out is not None:
        write_text(out, json.dumps(scores))
    return scores


def _mean_pose(data: HandClipDataset) -> np.ndarray:
    """Return the mean (J, 3) of all frames of each joint where its hand is labelled."""
    points = np.concatenate([video.keypoints for video in data.videos]).astype(float)
    weights = np.concatenate([video.weights for video in data.videos])[..., None]
    return (weights * points).sum(0) / np.maximum(weights.sum(0), 1)


def _frames_of_objects(data: HandClipDataset) -> Counter:
    counts: Counter = Counter()
    for video in data.videos:
        counts[video.object] += len(video)
    return counts


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of an HTT')
    parser.add_argument('--data-root', help="folder of the data (default: the config's)")
    parser.add_argument('--out', help='JSON file for the scores')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
