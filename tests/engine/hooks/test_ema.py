"""Averaged weights, as the long schedule has them: in checkpoints, in tests, after resuming."""

from pathlib import Path

import pytest
import torch
from helpers.tiny_training import RUNTIME, make_runner, write_tiny_training
from mmengine.config import Config
from mmengine.hooks import EMAHook

from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.runner import HandRunner

SCHEDULE = Config.fromfile(RUNTIME.parent / 'schedules' / 'muon_cosine_ema.py')
OPTIONS = dict(
    default_hooks__ema=dict(SCHEDULE.default_hooks.ema), model__data_preprocessor__type='HandCompositor',
    model__backbone__norm_eval=False, train_cfg__max_epochs=2)  # fmt: skip


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_training(tmp_path_factory.mktemp('ema'))


@pytest.fixture(scope='module')
def trained(config: Path) -> HandRunner:
    runner = make_runner(config, config.parent / 'trained', **OPTIONS)
    runner.train()
    return runner


def averaged(runner: HandRunner) -> dict[str, torch.Tensor]:
    (hook,) = (h for h in runner.hooks if isinstance(h, EMAHook))
    return hook.ema_model.module.state_dict()


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for key in one:
        torch.testing.assert_close(one[key], other[key], rtol=0, atol=0)


def test_checkpoints_hold_averaged_weights_where_weights_are_looked_for(trained: HandRunner) -> None:
    checkpoint = read_checkpoint(f'{trained.work_dir}/epoch_2.pth')
    assert_same(checkpoint['state_dict'], averaged(trained))
    key = 'backbone.conv1.weight'
    assert not torch.equal(checkpoint['state_dict'][key], trained.model.state_dict()[key])
    torch.testing.assert_close(checkpoint['ema_state_dict'][f'module.{key}'], trained.model.state_dict()[key])


def test_tests_use_them_and_give_what_validation_gave(trained: HandRunner, config: Path) -> None:
    expected = trained.message_hub.get_scalar('val/EPE').current()
    runner = make_runner(config, config.parent / 'tested', load_from=f'{trained.work_dir}/epoch_2.pth', **OPTIONS)
    assert runner.test()['EPE'] == pytest.approx(expected)
    assert_same(runner.model.state_dict(), averaged(trained))


def test_resuming_goes_on_with_both(trained: HandRunner, config: Path) -> None:
    work_dir = config.parent / 'resumed'
    first = make_runner(config, work_dir, **dict(OPTIONS))
    first.train_loop._max_epochs = 1
    first.train()
    assert not (work_dir / 'epoch_2.pth').exists()
    second = make_runner(config, work_dir, resume=True, **OPTIONS)
    second.train()
    assert_same(second.model.state_dict(), trained.model.state_dict())
    assert_same(averaged(second), averaged(trained))


def test_a_training_starts_from_bare_weights(trained: HandRunner, config: Path, tmp_path: Path) -> None:
    weights = read_checkpoint(f'{trained.work_dir}/epoch_2.pth')['state_dict']
    torch.save(weights, tmp_path / 'weights.pth')
    options = dict(OPTIONS, load_from=str(tmp_path / 'weights.pth'), optim_wrapper__optimizer__lr=0.0)
    runner = make_runner(config, tmp_path / 'run', **options)
    runner.train()
    key = 'backbone.conv1.weight'
    torch.testing.assert_close(averaged(runner)[key], weights[key])


def test_the_cosine_ends_with_the_training() -> None:
    assert all('end' not in s for s in SCHEDULE.param_scheduler if s.type == 'CosineAnnealingLR')
