"""Both tables of the joint heads' paper on generated hands: heads; crops, augmentation and averaging over rotations.

Usage:
    python tools/analysis/joint_heads.py --out work_dirs/joint_heads

Renders single hands, trains the five networks of both tables with the ResNet-18 configs, each on the same number of
samples, and tests each on the same hands in the biased crop, without and with averaging over rotations (tools/test.py
--tta). The trainings start from scratch and are short, so their batches are smaller than the configs', and the learning
rate is higher and falls to 0. Without a GPU two trainings run at a time, each on half of the cores. Finished networks
are kept: run the tool again to continue after an interruption. Writes ``joint_heads.json`` and ``joint_heads.md``.

A row is one short training of one seed; --seed gives another.
"""

import argparse
import json
import os
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

import handkp_plugins  # noqa: F401  (registers what configs name)
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.experiments.steps import loading_options, run_step, side_by_side, threads, with_options
from handkp_plugins.evaluation.functional.distances import keypoint_distances, mean_square
from handkp_plugins.fileio.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs' / 'joint_heads'
EPOCHS, _SIZE = 4, 192
_BATCH = 8  # more steps than the configs' 32 make of as many samples
_RATE = 1e-3
_writing = threading.Lock()


@dataclass(frozen=True)
class Network:
    """One training: its head, its crops, and whether its images are augmented."""

    head: str
    biased: bool = True
    augmented: bool = True

    @property
    def key(self) -> str:
        """Its folder and its name in the results."""
        return f'{self.head}-{"biased" if self.biased else "centred"}{"-augmented" * self.augmented}'


FC = Network('fc')
NETWORKS = (Network('fc', False, False), Network('fc', True, False), FC, Network('pixel'), Network('scoremap'))

TABLE_1 = (
    ('fully connected', FC, 47.97),
    ('pixel-wise classification', NETWORKS[3], 69.99),
    ('score map', NETWORKS[4], 443.42),
)
TABLE_2 = (
    ('centred crops', NETWORKS[0], 'MSE', 189.99),
    ('biased crops', NETWORKS[1], 'MSE', 139.07),
    ('biased crops, augmented', FC, 'MSE', 62.38),
    ('biased crops, augmented, averaged', FC, 'averaged MSE', 47.97),
)
"""Rows with the published MSE in px²."""


def main(
    out: str | Path, num: int = 2000, samples: int = 12288, rate: float = _RATE, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Train and test the networks; returns the scores of each.

    Args:
        out: folder of hands, trainings and results.
        num: hands to render, split 8:1:1.
        samples: to train on, for each network.
        rate: learning rate at the start of the training.
        seed: of the hands and the trainings.

    Raises:
        ValueError: a number is out of range, or the folder holds results of other arguments.
        HandkpError: a step failed; the message names its log.
    """
    least = EPOCHS * _BATCH
    if samples < least:
        raise ValueError(f'samples: expected {least} or more, got {samples}')
    out = Path(out).resolve()
    arguments = dict(num=num, samples=samples, rate=rate, seed=seed)
    file = out / 'joint_heads.json'
    document = json.loads(file.read_text()) if file.is_file() else dict(arguments=arguments, networks={})
    if document['arguments'] != arguments:
        raise ValueError(
            f'{file} holds results of other arguments, {document["arguments"]}: give them or another --out'
        )
    hands = ['--num', str(num), '--size', str(_SIZE), '--seed', str(seed), '--alone']
    run_step(ROOT, 'tools/make_synthetic.py', '--out', str(out / 'hands'), *hands)

    def train_and_test(network: Network, cores: int | None) -> None:
        scores = score(out, network, samples, rate, seed, cores)
        with _writing:
            document['networks'][network.key] = scores
            write_text(file, json.dumps(document, indent=1))

    side_by_side([partial(train_and_test, n) for n in NETWORKS if n.key not in document['networks']])
    document['mean pose'] = mean_pose_score(configured(out, FC, samples, rate, seed))
    write_text(file, json.dumps(document, indent=1))
    text = tables(document['networks'], document['mean pose'])
    write_text(out / 'joint_heads.md', text + '\n')
    print(f'\n{text}\n\n{out}: joint_heads.json, joint_heads.md')
    return document['networks']


def configured(out: Path, network: Network, samples: int, rate: float, seed: int) -> Config:
    """The ResNet-18 config of a network's head, with its crops and augmentation, for a short training from scratch."""
    cfg = load_config(CONFIGS / f'joint_heads_{network.head}-r18_synthetic.py')
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(out / 'hands')
    pipeline = cfg.train_dataloader.dataset.pipeline
    for step in pipeline:
        if step.type == 'MarginCrop':
            step.biased = network.biased
        elif step.type == 'TurnedTopdownAffine' and not network.augmented:
            step.turns = (0,)
    if not network.augmented:
        cfg.train_dataloader.dataset.pipeline = [step for step in pipeline if step.type != 'BrightnessSaturation']
    cfg.model.backbone.init_cfg = None
    cfg.train_dataloader.batch_size = _BATCH
    cfg.train_dataloader.sampler.samples_per_epoch = samples // EPOCHS
    cfg.train_cfg.max_epochs = EPOCHS
    cfg.optim_wrapper.optimizer.lr = rate
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.05, begin=0, end=50, by_epoch=False),
        dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
    ]
    cfg.default_hooks.checkpoint.update(interval=EPOCHS, save_best=None)
    cfg.randomness = dict(seed=seed)
    return cfg


def score(out: Path, network: Network, samples: int, rate: float, seed: int, cores: int | None) -> dict[str, float]:
    """Train a network on this number of cores and test it without and with averaging."""
    work_dir = out / network.key
    work_dir.mkdir(parents=True, exist_ok=True)
    config, checkpoint = work_dir / 'network.py', work_dir / f'epoch_{EPOCHS}.pth'
    configured(out, network, samples, rate, seed).dump(config)
    run = partial(run_step, ROOT, label=f'{network.key}: ', environment=threads(cores))
    options = with_options(loading_options(cores or len(os.sched_getaffinity(0))))
    show = r'Epoch\(train\).*?loss: \S+|Epoch\(test\).*MSE: \S+'
    start = time.monotonic()
    train = ['--amp', '--no-validate', '--work-dir', str(work_dir), *options]
    run('tools/train.py', str(config), *train, log=work_dir / 'train.log', show=show)
    scores = dict(seconds=round(time.monotonic() - start, 1))
    for name, more in (('', []), ('averaged ', ['--tta'])):
        result = work_dir / f'{name.strip() or "plain"}.json'
        test = ['--work-dir', str(work_dir / 'test'), '--out', str(result), *more]
        run('tools/test.py', str(config), str(checkpoint), *test, log=result.with_suffix('.log'), show=show)
        found = json.loads(result.read_text())
        scores |= {f'{name}{key}': found[key] for key in ('MSE', 'PCK')}
    return scores


def mean_pose_score(cfg: Config) -> float:
    """MSE of the mean of the training labels in the crop: a baseline that ignores the image."""
    init_default_scope('mmpose')
    pipeline = [step for step in cfg.test_dataloader.dataset.pipeline if step.type != 'PackHandInputs']
    labels = []
    for split in ('train', 'test'):
        dataset = DATASETS.build(dict(cfg[f'{split}_dataloader'].dataset, pipeline=pipeline))
        hands = [dataset[i] for i in range(len(dataset))]
        points = np.concatenate([hand['transformed_keypoints'] for hand in hands])
        labels.append((points, np.concatenate([hand['keypoints_visible'] for hand in hands]) > 0))
    (points, labelled), (truth, labelled_truth) = labels
    mean = np.average(points, axis=0, weights=np.repeat(labelled[..., None], 2, -1))
    return mean_square(keypoint_distances(np.broadcast_to(mean, truth.shape), truth, labelled_truth))


def tables(networks: dict[str, dict[str, float]], mean_pose: float) -> str:
    """Both tables as Markdown."""
    lines = ['| Table 1: head | MSE, px² | averaged | PCK@0.2 | averaged | published |', '|---' * 6 + '|']
    for name, network, published in TABLE_1:
        s = networks[network.key]
        mse, pck = ((s[key], s[f'averaged {key}']) for key in ('MSE', 'PCK'))
        lines.append(f'| {name} | {mse[0]:.1f} | {mse[1]:.1f} | {pck[0]:.3f} | {pck[1]:.3f} | {published} |')
    lines += [f'| mean pose of the training set | {mean_pose:.1f} | – | – | – | – |']
    lines += ['', '| Table 2: fully connected | MSE, px² | published |', '|---' * 3 + '|']
    lines += [f'| {name} | {networks[n.key][column]:.1f} | {published} |' for name, n, column, published in TABLE_2]
    return '\n'.join(lines)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of hands, trainings and results')
    parser.add_argument('--num', type=int, default=2000, help='hands to render (default %(default)s)')
    parser.add_argument('--samples', type=int, default=12288, help='to train each network on (default %(default)s)')
    parser.add_argument('--rate', type=float, default=_RATE, help='learning rate (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to go on')
