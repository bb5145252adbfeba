"""tools/analysis/joint_heads.py and benchmark_rotation.py: networks that differ as their rows say, commands, tables."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from helpers.mini_coco import write_mini_coco
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import load_tool
from mmengine.config import Config


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/joint_heads')


def test_networks_differ_as_their_rows_say(tool: ModuleType, tmp_path: Path):
    for network in tool.NETWORKS:
        cfg = tool.configured(tmp_path, network, 1024, 1e-3, 7)
        steps = {t.type: t for t in cfg.train_dataloader.dataset.pipeline}
        assert steps['MarginCrop'].biased is network.biased
        assert ('BrightnessSaturation' in steps) is network.augmented
        assert (steps['TurnedTopdownAffine'].get('turns') is None) is network.augmented
        test = {t.type: t for t in cfg.test_dataloader.dataset.pipeline}
        assert test['MarginCrop'].biased and 'TopdownAffine' in test  # whatever they are trained on
        assert cfg.train_dataloader.batch_size == 8
        assert cfg.train_cfg.max_epochs * cfg.train_dataloader.sampler.samples_per_epoch == 1024
        assert cfg.test_dataloader.dataset.data_root == str(tmp_path / 'hands')
        assert cfg.optim_wrapper.optimizer == dict(type='RMSprop', lr=1e-3)
    assert len({network.key for network in tool.NETWORKS}) == 5


@pytest.fixture
def steps(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that were run, by tools that leave only the scores: an MSE of 9, or with --tta of 4."""
    ran = []

    def step(root: Path, *command: str, **kwargs) -> None:
        ran.append([*command, *kwargs.get('environment', {}).items()])
        if command[0].endswith('test.py'):
            file = Path(command[command.index('--out') + 1])
            file.write_text(json.dumps(dict(MSE=4.0 if '--tta' in command else 9.0, PCK=0.5)))

    monkeypatch.setattr(tool, 'run_step', step)
    monkeypatch.setattr(tool, 'mean_pose_score', lambda cfg: 25.0)
    monkeypatch.setattr(tool, 'side_by_side', lambda tasks: [task(1) for task in tasks])
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    return ran


def test_networks_are_trained_and_tested_both_ways(tool: ModuleType, steps: list, tmp_path: Path):
    found = tool.main(tmp_path, num=50, samples=512)
    assert list(found) == [network.key for network in tool.NETWORKS]
    assert [c[0].rsplit('/')[-1] for c in steps] == ['make_synthetic.py'] + ['train.py', 'test.py', 'test.py'] * 5
    assert ['--tta' in c for c in steps[2:4]] == [False, True]
    assert all('train_dataloader.num_workers=0' in c and ('OMP_NUM_THREADS', '1') in c for c in steps[1::3])
    trained = Config.fromfile(tmp_path / 'scoremap-biased-augmented' / 'network.py')
    assert trained.model.head.decoder.type == 'ExpectationHeatmap'
    text = (tmp_path / 'joint_heads.md').read_text()
    assert '| pixel-wise classification | 9.0 | 4.0 | 0.500 | 0.500 | 69.99 |' in text
    assert '| mean pose of the training set | 25.0 |' in text
    assert '| biased crops, augmented | 9.0 | 62.38 |\n| biased crops, augmented, averaged | 4.0 | 47.97 |' in text
    steps.clear()
    assert tool.main(tmp_path, num=50, samples=512) == found
    assert [c[0] for c in steps] == ['tools/make_synthetic.py']
    with pytest.raises(ValueError, match='results of other arguments'):
        tool.main(tmp_path, num=60, samples=512)


def test_mean_pose_by_hand(tool: ModuleType, tmp_path: Path):
    for split, shifts in (('train', (0, 4)), ('test', (0, 0))):
        write_hands(tmp_path / 'hands', split, shifts)
    cfg = tool.configured(tmp_path, tool.FC, 1024, 1e-3, 0)
    for split in ('train', 'test'):
        cfg[f'{split}_dataloader'].dataset.type = 'HGR1Dataset'  # needs no more than COCO's keys
    # the wrist's mean is 2 px of the picture off; its crop has (25 + 8) · 128 / 54 of them for 128
    per_px = 128 / ((25 + 8) * 128 / 54)
    assert tool.mean_pose_score(cfg) == pytest.approx((2 * per_px) ** 2 / 21, rel=1e-4)


def write_hands(root: Path, split: str, shifts: tuple[int, ...]) -> None:
    """A hand a picture, all keypoints at one place but for the wrist, which is shifted."""
    ann_file = write_mini_coco(root, len(shifts))
    document = json.loads(ann_file.read_text())
    for annotation, shift in zip(document['annotations'], shifts, strict=True):
        annotation['keypoints'] = [30.0 + shift, 30, 1] + [40.0, 20, 1] * 20
        annotation['bbox'] = [10, 5, 50, 50]
    (root / 'annotations').mkdir(exist_ok=True)
    (root / 'annotations' / f'{split}.json').write_text(json.dumps(document))


def test_too_few_samples(tool: ModuleType, tmp_path: Path):
    with pytest.raises(ValueError, match='samples: expected 32 or more, got 31'):
        tool.main(tmp_path, samples=31)


def test_cost_of_averaging(tmp_path: Path, capsys: pytest.CaptureFixture):
    benchmark = load_tool('analysis/benchmark_rotation')
    config, _ = write_tiny_model(tmp_path)
    result = benchmark.main(str(config), batch_size=2, rounds=2, device='cpu')
    assert result['ratio'] == pytest.approx(result['averaged'] / result['plain']) and result['plain'] > 0
    assert f'{result["ratio"]:.2f} times' in capsys.readouterr().out
    with pytest.raises(ValueError, match='expected integers from 1, got 0, 2'):
        benchmark.main(str(config), batch_size=0, rounds=2)
