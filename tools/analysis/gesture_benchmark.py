"""Compare GestureNet with 5 nearest neighbours and logistic regression on tables of keypoints with labels.

GestureNet is trained on each table like with tools/train.py; the two others (scikit-learn's, with default settings
except for the number of iterations) get the same training rows, normalised the same way. All are tested on the last
rows of each class. Prints the accuracies as a Markdown table.

Example:
    python tools/analysis/gesture_benchmark.py data/gestures/*/keypoint.csv
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS, MODELS
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.cli import train_test as cli
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.config import load_config, use_scratch_folder
from handkp_plugins.fileio.atomic import write_text

CONFIG = Path(__file__).parents[2] / 'configs' / 'msahp' / 'gesturenet_keypoints.py'
BASELINES = {'5 nearest neighbours': KNeighborsClassifier(5), 'logistic regression': LogisticRegression(max_iter=5000)}


def config_of(table: Path, config: Path, cfg_options: dict[str, Any] | None) -> Config:
    """Return the config for one table: its file, and an output for each of its classes."""
    cfg = load_config(config, cfg_options)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.update(data_root='', ann_file=str(table.resolve()))
    cfg.model.num_classes = len(DATASETS.build(dict(cfg.train_dataloader.dataset)).metainfo['classes'])
    return cfg


def features(cfg: Config, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the keypoints (N, 42) of a part as the network gets them in tests, and the labels (N,)."""
    samples = list(DATASETS.build(dict(cfg[f'{part}_dataloader'].dataset)))
    points = torch.tensor(np.stack([sample['inputs'] for sample in samples]))
    prepared = MODELS.build(cfg.model.data_preprocessor)(dict(inputs=points))['inputs']
    return prepared.flatten(1).numpy(), np.array([sample['labels'] for sample in samples])


def gesture_net(cfg: Config, seed: int) -> float:
    """Train and test; return the accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        use_scratch_folder(cfg, folder)
        cfg.update(log_level='WARNING', randomness=dict(seed=seed))
        runner = cli.build_runner(cfg)
        runner.train()
        scores = runner.test()
    return scores['accuracy']


def main(
    tables: Sequence[str | Path],
    config: str | Path = CONFIG,
    seed: int = 0,
    json_file: str | Path | None = None,
    cfg_options: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Compare on each table; return a row for each.

    Raises:
        FileNotFoundError, ValueError: A table is missing or wrong; all are read before the first training.
    """
    configs = {table: config_of(Path(table), Path(config), cfg_options) for table in tables}
    rows = []
    for table, cfg in tqdm(configs.items(), desc='tables', unit='table'):
        (x, y), (x_test, y_test) = features(cfg, 'train'), features(cfg, 'test')
        start = time.perf_counter()
        scores = {'GestureNet': gesture_net(cfg, seed)}
        seconds = time.perf_counter() - start
        scores |= {name: float(model.fit(x, y).score(x_test, y_test)) for name, model in BASELINES.items()}
        path = Path(table)
        name = path.parent.name if path.stem == 'keypoint' else path.stem
        rows.append(dict(table=name, train=len(y), test=len(y_test), classes=cfg.model.num_classes, **scores,
                         seconds=seconds))  # fmt: skip
    names = ['GestureNet', *BASELINES]
    print(f'| table | rows: train, test | classes | {" | ".join(names)} |\n|---|---|---|{"---|" * len(names)}')
    for row in rows:
        accuracies = ' | '.join(f'{row[name]:.3f}' for name in names)
        print(f'| {row["table"]} | {row["train"]}, {row["test"]} | {row["classes"]} | {accuracies} |')
    print(f'| mean | | | {" | ".join(f"{np.mean([row[name] for row in rows]):.3f}" for name in names)} |')
    print(f'training and testing GestureNet: {max(row["seconds"] for row in rows):.0f} s at most for a table')
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1))
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tables', nargs='+', metavar='TABLE', help='.csv, .npz or .json')
    parser.add_argument('--config', default=CONFIG)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--json', dest='json_file', metavar='FILE')
    parser.add_argument('--cfg-options', nargs='+', action=cli.OptionAction, metavar='KEY=VALUE')
    arguments = vars(parser.parse_args())
    MMLogger.get_current_instance().setLevel('WARNING')
    run_tool(lambda: main(**arguments))
