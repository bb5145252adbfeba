import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.tiny_training import write_tiny_training
from helpers.tool_module import load_tool

from handkp_plugins.apis.inference import init_model, predict
from handkp_plugins.apis.rotation import with_rotations
from handkp_plugins.errors import CheckpointError


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A config and the work dir of its training by the tool."""
    folder = tmp_path_factory.mktemp('tiny')
    config, work_dir = str(write_tiny_training(folder)), folder / 'work'
    options = ['experiment_name=tool_one', 'auto_scale_lr.base_batch_size=1']
    runner = load_tool('train').main(
        [config, '--work-dir', str(work_dir), '--amp', '--auto-scale-lr', '--no-validate', '--cfg-options', *options]
    )
    assert runner.epoch == 2
    return config, work_dir


def test_training(trained: tuple[str, Path]):
    _, work_dir = trained
    checkpoint = torch.load(work_dir / 'epoch_2.pth', weights_only=True)
    # Doubled for the batch of two, halved after the first epoch by the schedule.
    assert checkpoint['optimizer']['param_groups'][0]['lr'] == pytest.approx(0.1)
    assert 'loss_scaler' in checkpoint['optimizer']
    assert 'val/EPE' not in checkpoint['message_hub']['log_scalars']


def test_resuming(trained: tuple[str, Path]):
    config, work_dir = trained
    options = ['experiment_name=tool_two', 'train_cfg.max_epochs=3']
    load_tool('train').main([config, '--work-dir', str(work_dir), '--resume', '--cfg-options', *options])
    checkpoint = torch.load(work_dir / 'epoch_3.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 6
    assert len(checkpoint['message_hub']['log_scalars']['train/loss']['log_history']) == 6


def test_testing(trained: tuple[str, Path], tmp_path: Path):
    config, work_dir = trained
    metrics = load_tool('test').main(
        [config, str(work_dir / 'epoch_2.pth'), '--work-dir', str(tmp_path), '--out', str(tmp_path / 'out' / 'm.json'),
         '--show-dir', 'pictures', '--dump', str(tmp_path / 'p.pkl'), '--cfg-options', 'experiment_name=tool_three']
    )  # fmt: skip
    assert set(metrics) == {'PCK', 'EPE'}
    assert json.loads((tmp_path / 'out' / 'm.json').read_text()) == pytest.approx(metrics)
    assert len(list(tmp_path.glob('**/pictures/*.jpg'))) == 4
    assert (tmp_path / 'p.pkl').stat().st_size > 1000


def test_averaging_over_rotations(trained: tuple[str, Path], tmp_path: Path):
    config, work_dir = trained
    checkpoint = str(work_dir / 'epoch_2.pth')
    metrics = load_tool('test').main(
        [config, checkpoint, '--tta', '--work-dir', str(tmp_path), '--show-dir', 'pictures',
         '--cfg-options', 'experiment_name=tool_five']
    )  # fmt: skip
    data = Path(config).parent / 'data'
    document = json.loads((data / 'ann.json').read_text())
    plain = init_model(config, checkpoint, 'cpu')
    errors = {True: [], False: []}
    for image, annotation in zip(document['images'], document['annotations'], strict=True):
        x, y, w, h = annotation['bbox']
        box = np.clip([[x, y, x + w, y + h]], 0, 63)
        truth = np.reshape(annotation['keypoints'], (21, 3))[:, :2]
        for averaged in errors:
            model = with_rotations(plain) if averaged else plain
            (found,) = predict(model, cv2.imread(str(data / image['file_name'])), box)
            errors[averaged].append(np.linalg.norm(found['keypoints'] - truth, axis=-1).mean())
    assert metrics['EPE'] == pytest.approx(np.mean(errors[True]), rel=1e-4)
    assert abs(metrics['EPE'] - np.mean(errors[False])) > 0.1
    assert len(list(tmp_path.glob('**/pictures/*.jpg'))) == 4


def test_a_missing_checkpoint_and_another_networks(trained: tuple[str, Path], tmp_path: Path):
    config, work_dir = trained
    arguments = ['--work-dir', str(tmp_path), '--cfg-options', 'experiment_name=tool_four']
    with pytest.raises(FileNotFoundError, match='no checkpoint at none.pth'):
        load_tool('test').main([config, 'none.pth', *arguments])
    with pytest.raises(CheckpointError, match=f'{work_dir}/epoch_2.pth: .*another network'):
        load_tool('test').main(
            [
                config,
                str(work_dir / 'epoch_2.pth'),
                *arguments,
                'model.backbone.base_channels=4',
                'model.head.in_channels=4',
            ]
        )
