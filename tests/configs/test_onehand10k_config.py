"""The shipped OneHand10K config trains and tests through the tools, changed by ``--cfg-options`` alone."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT

CONFIG = 'configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py'
SETS = ('train', 'val', 'test')


def run(*args: str) -> str:
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def train_and_test(folder: Path, ann_file: str, work_dir: Path) -> dict[str, float]:
    data = [f'{s}_dataloader.dataset.{k}={v}' for s in SETS for k, v in (('data_root', folder), ('ann_file', ann_file))]
    workers = [f'{s}_dataloader.{k}' for s in SETS for k in ('num_workers=0', 'persistent_workers=False')]
    options = [*data, *workers, 'train_cfg.max_epochs=2', 'train_dataloader.batch_size=2']
    run('tools/train.py', CONFIG, '--amp', '--no-validate', '--work-dir', str(work_dir), '--cfg-options', *options)
    checkpoint = torch.load(work_dir / 'epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 4
    losses = checkpoint['message_hub']['log_scalars']['train/loss']['log_history']
    assert all(math.isfinite(v) and v > 0 for v in losses)

    out = work_dir / 'scores.json'
    shown = work_dir / 'shown'
    run('tools/test.py', CONFIG, str(work_dir / 'epoch_2.pth'), '--work-dir', str(work_dir), '--out', str(out),
        '--show-dir', str(shown), '--cfg-options', *data, *workers)  # fmt: skip
    scores = json.loads(out.read_text())
    assert {'PCK', 'AUC', 'EPE', 'PCK@5px', 'MPJPE@20px'} <= set(scores)
    assert len([p for p in work_dir.rglob('*') if p.suffix in ('.png', '.jpg')]) == 4
    return scores


@pytest.mark.slow
def test_miniature(tmp_path):
    path = write_mini_coco(tmp_path / 'mini', num_images=4)
    assert train_and_test(path.parent, path.name, tmp_path / 'work')['N'] == 84  # keypoints scored


@pytest.mark.slow
def test_real_samples(real_data, tmp_path):
    scores = train_and_test(real_data / 'real_samples' / 'onehand10k', 'test_onehand10k.json', tmp_path / 'work')
    assert scores['N'] == 63  # the labelled ones of 84
