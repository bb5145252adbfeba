import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tiny_training import make_runner, write_tiny_training
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import Runner
from mmpose.registry import RUNNERS

from handkp_plugins.engine.runner import HandRunner
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_training(tmp_path_factory.mktemp('tiny'))


@pytest.fixture(scope='module')
def trained(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work dir of a training of two epochs, with a schedule for four. Not to be changed."""
    work_dir = tmp_path_factory.mktemp('trained')
    make_runner(config, work_dir).train()
    return work_dir


@pytest.fixture
def interrupted(trained: Path, tmp_path: Path) -> Path:
    """A copy of that work dir, moved to another place."""
    work_dir = tmp_path / 'moved'
    work_dir.mkdir()
    for name in ('epoch_1.pth', 'epoch_2.pth', 'last_checkpoint'):
        (work_dir / name).write_bytes((trained / name).read_bytes())
    return work_dir


def stored(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def assert_same(a: object, b: object) -> None:
    """Equal to the last bit, through containers."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


def test_checkpoint_holds_plain_data_and_everything(trained: Path):
    checkpoint = stored(trained / 'epoch_2.pth')
    assert set(checkpoint) == {'meta', 'state_dict', 'message_hub', 'optimizer', 'param_schedulers', 'random_states'}
    assert checkpoint['meta']['epoch'] == 2
    assert checkpoint['meta']['dataset_meta']['num_keypoints'] == 21
    assert len(checkpoint['message_hub']['log_scalars']['train/loss']['log_history']) == 4
    assert checkpoint['state_dict']._metadata['backbone.bn1']['version'] == 2
    assert len(checkpoint['random_states']) == 1
    assert not list(trained.glob('*.tmp'))


@pytest.mark.parametrize('seed', [7, None])
def test_resumed_training_equals_an_uninterrupted_one(config: Path, tmp_path: Path, seed: int | None):
    # The best checkpoint is written during the validation, and the last one is then written again.
    options = dict(randomness__seed=seed, default_hooks__checkpoint__save_best='EPE')
    options.update(default_hooks__checkpoint__rule='less', optim_wrapper__optimizer__lr=0.5)
    make_runner(config, tmp_path / 'half', **options).train()
    drawn = dict(options, randomness__seed=stored(tmp_path / 'half' / 'epoch_2.pth')['meta']['seed'])
    make_runner(config, tmp_path / 'whole', train_cfg__max_epochs=4, **drawn).train()
    make_runner(config, tmp_path / 'half', resume=True, train_cfg__max_epochs=4, **options).train()
    for epoch in (3, 4):
        a, b = (stored(tmp_path / d / f'epoch_{epoch}.pth') for d in ('whole', 'half'))
        for part in ('state_dict', 'optimizer', 'param_schedulers', 'random_states'):
            assert_same(a[part], b[part])
        losses = [c['message_hub']['log_scalars']['train/loss']['log_history'] for c in (a, b)]
        assert len(losses[0]) == 2 * epoch
        assert torch.equal(*losses)


def test_resume_passes_over_a_truncated_checkpoint(config: Path, interrupted: Path, caplog: pytest.LogCaptureFixture):
    newest = interrupted / 'epoch_2.pth'
    newest.write_bytes(newest.read_bytes()[:-1000])
    runner = make_runner(config, interrupted, resume=True)
    messages = record_warnings(runner)
    runner.train()
    assert len(messages) == 3  # two metrics ask for a prefix
    assert f'Skipped: {newest}: not a whole checkpoint' in messages[-1]
    assert stored(newest)['meta']['epoch'] == 2
    losses = stored(newest)['message_hub']['log_scalars']['train/loss']['log_history']
    assert len(losses) == 4


def test_resuming_a_longer_schedule_says_that_the_old_one_counts(config: Path, tmp_path: Path):
    make_runner(config, tmp_path / 'x', train_cfg__max_epochs=1).train()
    longer = [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.5, end=9)]
    runner = make_runner(config, tmp_path / 'x', resume=True, param_scheduler=longer)
    messages = record_warnings(runner)
    runner.train()
    assert any('end at [4], not at [9]' in message for message in messages)


@pytest.mark.parametrize('epochs', [1, 2])
def test_a_schedule_that_would_begin_at_the_end_is_told(config: Path, tmp_path: Path, epochs: int):
    warm_up = dict(type='LinearLR', start_factor=0.5, begin=0, end=1, by_epoch=True, convert_to_iter_based=True)
    cosine = dict(type='CosineAnnealingLR', begin=1, by_epoch=True, convert_to_iter_based=True)
    runner = make_runner(config, tmp_path, train_cfg__max_epochs=epochs, param_scheduler=[warm_up, cosine])
    warnings = record_warnings(runner)
    runner.train()
    told = [w for w in warnings if 'CosineAnnealingLR would begin at epoch 1, and the training ends at 1' in w]
    assert len(told) == (epochs == 1)

    # whoever goes on for longer is told that the cosine ends where it did
    runner = make_runner(config, tmp_path, resume=True, train_cfg__max_epochs=3, param_scheduler=[warm_up, cosine])
    warnings = record_warnings(runner)
    runner.train()
    assert any('end at [2, 4], not at [2, 6]' in w for w in warnings)


def record_warnings(runner: Runner) -> list[str]:
    messages: list[str] = []

    class Recorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING and 'deprecated' not in record.getMessage():
                messages.append(record.getMessage())

    MMLogger.get_instance(runner.experiment_name).addHandler(Recorder())
    return messages


def test_no_whole_checkpoint_is_an_error(config: Path, interrupted: Path):
    for name in ('epoch_1.pth', 'epoch_2.pth'):
        (interrupted / name).write_bytes(b'')
    with pytest.raises(BrokenCheckpointError, match='no whole checkpoint.*epoch_2.pth.*epoch_1.pth'):
        make_runner(config, interrupted, resume=True).train()


def test_resume_without_any_checkpoint_starts_afresh(config: Path, tmp_path: Path):
    make_runner(config, tmp_path, resume=True, train_cfg__max_epochs=1).train()
    assert stored(tmp_path / 'epoch_1.pth')['meta']['epoch'] == 1


def test_named_truncated_checkpoint_is_an_error(config: Path, interrupted: Path):
    newest = interrupted / 'epoch_2.pth'
    newest.write_bytes(newest.read_bytes()[:5000])
    for action in ('train', 'test'):
        runner = make_runner(config, interrupted, load_from=str(newest), resume=action == 'train')
        with pytest.raises(BrokenCheckpointError, match=f'{newest}: not a whole checkpoint.*5000 bytes'):
            getattr(runner, action)()


@pytest.mark.parametrize('key', ['config', 'cfg'])
def test_code_in_a_checkpoint_does_not_run(config: Path, interrupted: Path, tmp_path: Path, key: str):
    path, mark = interrupted / 'epoch_2.pth', tmp_path / 'ran'
    checkpoint = stored(path)
    code = f'import os\nos.system("touch {mark}")\n__import__("pathlib").Path({str(mark)!r}).touch()\n'
    checkpoint['meta'][key] = checkpoint['message_hub']['runtime_info'][key] = code
    torch.save(checkpoint, path)
    make_runner(config, interrupted, resume=True, train_cfg__max_epochs=3).train()
    make_runner(config, interrupted, load_from=str(path)).test()
    assert not mark.exists()


def test_stock_checkpoint_is_resumed(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class StockRunner(HandRunner):
        save_checkpoint = Runner.save_checkpoint
        call_hook = Runner.call_hook

    with monkeypatch.context() as patch:
        patch.setitem(RUNNERS.module_dict, 'HandRunner', StockRunner)
        make_runner(config, tmp_path).train()
    with pytest.raises(Exception, match='HistoryBuffer|multiarray|getattr'):
        stored(tmp_path / 'epoch_2.pth')
    runner = make_runner(config, tmp_path, resume=True, train_cfg__max_epochs=3)
    messages = record_warnings(runner)
    runner.train()
    assert [m for m in messages if 'metainfo' in m] == []
    assert [m for m in messages if 'no random states of 1 processes' in m]
    losses = stored(tmp_path / 'epoch_3.pth')['message_hub']['log_scalars']['train/loss']['log_history']
    assert len(losses) == 6


def test_stock_runner_takes_our_checkpoint(trained: Path):
    hub = MessageHub('stock')
    hub.load_state_dict(stored(trained / 'epoch_2.pth')['message_hub'])
    assert hub.get_info('epoch') == 1


def test_checkpoint_of_another_network(config: Path, trained: Path, tmp_path: Path):
    path = str(trained / 'epoch_2.pth')
    wider = dict(model__backbone__base_channels=16, model__head__in_channels=16, load_from=path)
    for action in ('test', 'val'):
        with pytest.raises(CheckpointError, match=rf'{path}: .*another network.* of another size: backbone.layer1'):
            getattr(make_runner(config, tmp_path, **wider), action)()
    with pytest.raises(CheckpointError, match='another network'):
        make_runner(config, tmp_path, resume=True, **wider).train()
    runner = make_runner(config, tmp_path, train_cfg__max_epochs=1, **wider)
    messages = record_warnings(runner)
    runner.train()
    assert any('weights fit and were loaded' in m for m in messages)


def test_training_cannot_resume_from_weights_alone(config: Path, trained: Path, tmp_path: Path):
    weights = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=stored(trained / 'epoch_2.pth')['state_dict']), weights)
    with pytest.raises(CheckpointError, match=r'without message_hub, optimizer, meta.epoch, meta.iter.*load_from'):
        make_runner(config, tmp_path, resume=True, load_from=str(weights)).train()
    assert make_runner(config, tmp_path, load_from=str(weights)).test()['EPE'] > 0


def test_full_disk_stops_the_training_and_leaves_whole_checkpoints(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put = LocalBackend.put

    def full_at_epoch_2(self: LocalBackend, obj: bytes, path: str) -> None:
        put(self, obj[:100], path) if 'epoch_2' in path else put(self, obj, path)
        if 'epoch_2' in path:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(LocalBackend, 'put', full_at_epoch_2)
    with pytest.raises(OSError, match=rf'No space left on device.*{tmp_path}/epoch_2.pth'):
        make_runner(config, tmp_path).train()
    assert [p.name for p in tmp_path.glob('epoch_*')] == ['epoch_1.pth']
    assert stored(tmp_path / 'epoch_1.pth')['meta']['epoch'] == 1


def test_unwritable_work_dir_is_named_at_once(config: Path, tmp_path: Path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match=rf'cannot write to the work dir.*{tmp_path}/file/work'):
        make_runner(config, tmp_path / 'file' / 'work')


def test_unsafe_hook_state_is_named(config: Path, tmp_path: Path):
    class Hoarder(Hook):
        def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
            checkpoint['hoard'] = dict(things=[object()])

    runner = make_runner(config, tmp_path)
    runner.register_hook(Hoarder(), priority='LOWEST')
    with pytest.raises(TypeError, match=r'hoard.things\[0\]: expected tensors'):
        runner.train()


def test_scheduler_functions_stay_out(config: Path, tmp_path: Path):
    runner = make_runner(config, tmp_path, resume=True)
    runner.param_schedulers = [dict(type='OneCycleLR', eta_max=0.1, total_steps=8, by_epoch=False)]
    runner.train()
    state = stored(tmp_path / 'epoch_2.pth')['param_schedulers'][0]
    assert state['_global_step'] == 4
    assert not any('anneal' in key for key in state)


@pytest.mark.parametrize('wrap', [None, 'RepeatDataset', 'CombinedDataset'])
def test_annotations_are_checked_before_training(config: Path, tmp_path: Path, wrap: str | None):
    runner = make_runner(config, tmp_path)
    dataset = runner._train_dataloader['dataset']
    ann = json.loads(Path(dataset['data_root'], 'ann.json').read_text())
    ann['annotations'][2]['keypoints'][4] = float('nan')
    bad = tmp_path / 'bad.json'
    bad.write_text(json.dumps(ann))
    good = dict(dataset)
    dataset['ann_file'] = str(bad)
    if wrap == 'RepeatDataset':
        runner._train_dataloader['dataset'] = dict(type=wrap, times=2, dataset=dataset)
    elif wrap == 'CombinedDataset':
        runner._train_dataloader['dataset'] = dict(type=wrap, metainfo={}, datasets=[good, dataset])
    with pytest.raises(ValueError, match=rf'{bad}.*2'):
        runner.train()


def test_channels_last_changes_no_result(config: Path, trained: Path, tmp_path: Path):
    path, scores = str(trained / 'epoch_2.pth'), []
    for layout in (False, True):
        runner = make_runner(config, tmp_path, load_from=path, channels_last=layout)
        assert runner.model.backbone.conv1.weight.is_contiguous(memory_format=torch.channels_last) == layout
        scores.append(runner.test()['EPE'])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-5)
