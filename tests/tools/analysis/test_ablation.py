"""tools/analysis/ablation.py: rows that train, commands, and what is said of arguments."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from helpers.packed_sample import packed_sample
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/ablation')


@pytest.fixture
def steps(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that were run, by tools that leave only what is read afterwards."""
    ran = []

    def step(root: Path, *command: str, **kwargs) -> None:
        ran.append([*command, kwargs.get('label', ''), *kwargs.get('environment', {}).items()])
        if command[0].endswith('test.py'):
            Path(command[command.index('--out') + 1]).write_text('{"PCK": 0.5, "EPE": 20.0}')
        if command[0].endswith('real_check.py'):
            folder = Path(command[command.index('--output') + 1])
            folder.mkdir()
            photographs = [
                {'key': 'a', 'measures': 'accuracy', 'n_keypoints': 30, 'pck_0.1': 0.1, 'pck_0.2': 0.4},
                {'key': 'b', 'measures': 'accuracy', 'n_keypoints': 10, 'pck_0.1': 0.1, 'pck_0.2': 0.8},
            ]
            video = {'key': 'dex_retargeting_hand', 'measures': 'agreement', 'n_keypoints': 9, 'pck_0.1': 0.3}
            (folder / 'real_check.json').write_text(json.dumps({'sources': [*photographs, video]}))

    monkeypatch.setattr(tool, 'run_step', step)
    monkeypatch.setattr(tool, 'side_by_side', lambda tasks: [task(1) for task in tasks])
    monkeypatch.setattr(tool, 'find_sources', lambda data: None)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ('a.glb', 'b.glb'):
        Path(name).touch()
    return ran


def test_rows_differ_in_one_thing_and_each_can_be_trained(tool: ModuleType, tmp_path: Path):
    init_default_scope('mmpose')
    seen = set()
    for row in tool.ROWS:
        cfg = tool.configured(tmp_path, row, {'--backgrounds': ['photos']}, 800, 3)
        seen.add((row.hands, cfg.pretty_text))
        folder = cfg.model.data_preprocessor.backgrounds.folder
        assert (folder is None) == (row.leave_out == '--backgrounds')
        assert cfg.train_cfg.max_epochs * cfg.train_dataloader.sampler.samples_per_epoch == 800
        assert cfg.test_dataloader.dataset.data_root == str(tmp_path / 'hands' / 'full')
        cfg.model.data_preprocessor.backgrounds.update(folder=None, num=4)
        model = build_pose_estimator(cfg.model)
        packed = [packed_sample(cfg.train_dataloader.dataset.pipeline, 4, i) for i in range(2)]
        loss, _ = model.parse_losses(model(**model.data_preprocessor(pseudo_collate(packed), True), mode='loss'))
        assert loss.isfinite(), row.name
        packed = [packed_sample(cfg.test_dataloader.dataset.pipeline, 4, i) for i in range(2)]
        with torch.no_grad():
            found = model.eval().test_step(pseudo_collate(packed))
        assert found[0].pred_instances.keypoints.shape == (1, 21, 2), row.name
    assert len(seen) == len(tool.ROWS)


def test_rows_render_train_test_and_check(tool, steps, tmp_path, capsys):
    rows = tool.main(tmp_path, tmp_path, rig=['a.glb'], num=100, samples=256, only=[1, 2, 3, 6])
    assert list(rows) == [tool.ROWS[i].name for i in (0, 1, 2, 6)]  # no poses were given, so that 3 is 0
    assert rows[tool.FULL] == {
        'generated PCK@0.2': 0.5,
        'generated EPE': 20.0,
        'photographs PCK@0.2': pytest.approx(0.5),
        'retargeting video PCK@0.1': 0.3,
    }
    made = [' '.join(c) for c in steps if 'make_synthetic' in c[0]]
    kinds = [command.split(' --num')[0].rsplit('/')[-1] for command in made]
    assert kinds == ['full', 'no-rig', 'one-shape']
    assert ['a.glb' in command for command in made] == [True, False, True]
    assert ['--one-shape' in command for command in made] == [kind == 'one-shape' for kind in kinds]
    trained = [c for c in steps if 'train.py' in c[0]]
    assert [c[-2:] for c in trained] == [[f'{name}: ', ('OMP_NUM_THREADS', '1')] for name in rows]
    assert all('train_dataloader.num_workers=0' in c for c in trained)
    trained = Config.fromfile(tmp_path / tool.ROWS[2].name.replace(' ', '_') / 'ablation.py')
    assert trained.train_dataloader.dataset.data_root == str(tmp_path / 'hands' / 'one-shape')
    assert '| full recipe | 0.500 | 20.0 | 0.500 | – | 0.300 |' in (tmp_path / 'ablation.md').read_text()
    assert 'left out, for there is no --poses' in capsys.readouterr().out
    steps.clear()
    assert tool.main(tmp_path, tmp_path, rig=['a.glb'], num=100, samples=256, only=[1, 2, 6]) == rows and not steps
    with pytest.raises(ValueError, match='results of other arguments'):
        tool.main(tmp_path, tmp_path, rig=['b.glb'], num=100, samples=256)


def test_arguments_out_of_range(tool, tmp_path):
    with pytest.raises(ValueError, match='expected rows 0 to 9, got 10'):
        tool.main(tmp_path, tmp_path, only=[10])
    with pytest.raises(ValueError, match='expected 256 or more, got 255'):
        tool.main(tmp_path, tmp_path, samples=255)


def test_missing_inputs_are_told_before_anything_is_made(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, 'run_step', lambda *command, **kwargs: pytest.fail('nothing is to be run'))
    with pytest.raises(FileNotFoundError, match='no source of real images there'):
        tool.main(tmp_path / 'out', tmp_path)
    with pytest.raises(FileNotFoundError, match='--rig .*/none.glb: no such file or folder'):
        tool.main(tmp_path / 'out', tmp_path, rig=[tmp_path / 'none.glb'])
