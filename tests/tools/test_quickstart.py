import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import pytest
from helpers.tool_module import load_tool

from handkp_plugins.errors import HandkpError


@pytest.fixture(scope='module')
def quickstart() -> ModuleType:
    return load_tool('quickstart')


@pytest.mark.slow
def test_from_nothing_to_the_report(quickstart: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture):
    work_dir = tmp_path / 'work'
    scores = quickstart.main(20, 1, data=tmp_path / 'hands', work_dir=work_dir)
    out = capfd.readouterr().out
    hands = json.loads((tmp_path / 'hands' / 'annotations' / 'train.json').read_text())['annotations']
    assert not any(hand[company] for hand in hands for company in ('held', 'in_front', 'other_hand'))
    assert scores == json.loads((work_dir / 'scores.json').read_text())
    assert (scores['num_images'], scores['num_test_images']) == (20, 2)
    trained = ['P-MSDSNet lite', 'ResNet-18', 'lite, shipped', 'lite, shipped and tuned']
    assert list(scores['systems']) == [*trained, 'mean pose']
    for name, system in scores['systems'].items():
        assert 0 <= system['PCK'] <= 1, name
        assert system['EPE'] > 0, name
        assert len(system['pck_curve']) == 50, name
        assert (system['num_parameters'] is None) == (name == 'mean pose')
        assert name in out
    page = (work_dir / 'report.html').read_text()
    assert page.count('<img src="data:image/png;base64,') == 4
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert 'generated (synthetic)' in page
    sizes = {p.name: cv2.imread(str(p)).shape[:2] for p in work_dir.glob('*.png')}
    assert set(sizes) == {'pck.png', 'predictions.png', 'worst.png', 'attention.png'}
    assert sizes['predictions.png'] == (5 * 248 + 4, 2 * 228 + 4)
    assert 'total time' in out
    assert 'try it: python tools/demo.py photo.jpg' in out
    assert 'python tools/demo.py photo.jpg --pose configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py' in page


@pytest.fixture
def train(quickstart: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Calls ``train`` with a tool that only leaves a checkpoint; returns the tools that it ran."""
    (tmp_path / 'meta.json').write_text('{"seed": 0}')
    config = quickstart.NETWORKS['ResNet-18']
    work_dir = tmp_path / Path(config).stem

    def call(epochs: int | None = None, fresh: bool = False, stop: bool = False) -> list[str]:
        ran = []

        def fake_tool(*command: str, **kwargs) -> None:
            ran.append(' '.join(command))
            work_dir.mkdir(exist_ok=True)
            time.sleep(0.02)  # the clock of files is coarse
            (work_dir / 'epoch_1.pth').touch()
            (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
            if stop:
                raise KeyboardInterrupt

        monkeypatch.setattr(quickstart, 'step', fake_tool)
        settings = quickstart.Settings(10, epochs, tmp_path, tmp_path, fresh, time.monotonic())
        checkpoint, seconds = quickstart.train(settings, 'x', config)
        assert checkpoint == work_dir / 'epoch_1.pth'
        assert seconds >= 0
        return ran

    return call


def test_a_finished_training_is_kept_until_something_changes(train: Callable[..., list[str]], tmp_path: Path):
    assert len(train()) == 1
    assert train() == []
    assert len(train(fresh=True)) == 1
    (command,) = train(epochs=5)
    assert 'train_cfg.max_epochs=5 param_scheduler.1.end=5' in command
    assert f'train_dataloader.dataset.data_root={tmp_path}' in command
    assert train(epochs=5) == []
    (tmp_path / 'meta.json').write_text('{"seed": 1}')
    assert len(train(epochs=5)) == 1
    next(tmp_path.glob('*/epoch_1.pth')).unlink()
    assert len(train(epochs=5)) == 1


def test_an_interrupted_training_goes_on(train: Callable[..., list[str]], tmp_path: Path):
    def interrupted(**kwargs) -> None:
        with pytest.raises(KeyboardInterrupt):
            train(stop=True, **kwargs)

    interrupted()
    marker = next(tmp_path.glob('*/training.json'))
    saved = marker.with_name('epoch_1.pth').stat().st_mtime
    os.utime(marker, (saved - 100, saved - 100))  # as if the checkpoint had taken 100 s
    (command,) = train()
    assert ' --resume ' in command
    assert 100 <= json.loads(marker.read_text())['seconds'] < 160
    for change in (dict(epochs=5), dict(fresh=True)):
        interrupted(fresh=True)
        (command,) = train(**change)
        assert '--resume' not in command
    (tmp_path / 'meta.json').write_text('{"seed": 1}')
    interrupted(epochs=5)
    os.utime(marker.with_name('epoch_1.pth'), (saved, saved))  # the checkpoint of another training
    (command,) = train(epochs=5)
    assert '--resume' not in command


def test_each_network_keeps_to_its_cores(quickstart: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def side_by_side(tasks: list[Callable], at_once: int) -> list:
        assert at_once == 2
        return [task(i + 1) for i, task in enumerate(tasks)]

    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setattr(quickstart, 'side_by_side', side_by_side)
    ran = []

    def fake_tool(*command: str, environment: dict[str, str], label: str, **kwargs) -> None:
        ran.append((Path(command[0]).stem, label, environment, 'train_dataloader.num_workers=0' in command))
        work_dir = quickstart.ROOT / command[command.index('--work-dir') + 1]
        work_dir.mkdir(parents=True, exist_ok=True)
        for name in ('last_checkpoint', 'scores.json', 'pck.json'):
            (work_dir / name).write_text('{}')

    monkeypatch.setattr(quickstart, 'step', fake_tool)
    (tmp_path / 'meta.json').write_text('{}')
    settings = quickstart.Settings(10, None, tmp_path, tmp_path, False, time.monotonic())
    systems = quickstart.compare(settings, quickstart.NETWORKS)
    names = 'P-MSDSNet lite', 'ResNet-18', 'lite, shipped', 'lite, shipped and tuned'
    assert tuple(system.name for system in systems) == names
    one, two, four, three = ((f'{name}: ', dict(OMP_NUM_THREADS=n)) for name, n in zip(names, '1243', strict=True))
    assert ran == [
        ('train', *one, True), ('test', *one, False), ('train', *two, False), ('test', *two, False),
        ('train', *three, False), ('test', *three, False), ('test', *four, False),
    ]  # fmt: skip


def test_a_step_that_fails_is_named_with_its_last_lines(quickstart: ModuleType, tmp_path: Path):
    log = tmp_path / 'logs' / 'train.log'
    with pytest.raises(
        HandkpError, match=r'(?s)tools/train.py failed \(exit status 1\), its log is .*/train.log:.*no config'
    ):
        quickstart.step('tools/train.py', 'none.py', log=log)
    assert 'no config file at none.py' in log.read_text()


def test_options(quickstart: ModuleType, tmp_path: Path):
    root = quickstart.ROOT
    once = quickstart.Settings(10, 1, root / quickstart.DATA, tmp_path, False, 0.0)
    assert quickstart.data_options(once)[0] == 'train_dataloader.dataset.data_root=data/synthetic/demo'
    for config, end in ((quickstart.NETWORKS['ResNet-18'], 2), (quickstart.TUNING, 1)):
        options = quickstart.epoch_options(once, quickstart.load_config(root / config))
        assert options == ['train_cfg.max_epochs=1', f'param_scheduler.1.end={end}']
    assert quickstart.clock(605.9) == '10:05'
