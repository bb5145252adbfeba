"""HTT's configs: short, one codec, the paper's numbers, and a small training from file to scores."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.killed_training import Kill
from helpers.mini_clips import SIZE, clip_records, write_clips
from helpers.paths import CONFIGS
from helpers.tiny_htt import SMALL, TINY
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from mmpose.registry import METRICS, OPTIMIZERS

from handkp_plugins.cli.train_test import build_runner
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.runner import HandRunner

LEAVES = sorted((CONFIGS / 'htt').glob('*.py'))


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize('path', LEAVES, ids=name)
def test_leaf_is_short_and_complete(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith('#')]
    assert len(lines) <= 60
    cfg = Config.fromfile(path)
    head, sizes = cfg.model.head, cfg.model.head.decoder.input_size
    loaders = [cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test')]
    for dataset in loaders:
        assert dataset.type == 'HandClipDataset' and 21 * len(dataset.hands) == head.num_joints
        assert (dataset.clip_length, dataset.spacing) == (loaders[0].clip_length, loaders[0].spacing)
        assert [step.size for step in dataset.pipeline if step.type == 'ResizeClip'] == [sizes]
        assert dataset.get('test_mode', False) is (dataset is not loaders[0])
    same_clips = path.stem in ('htt_small_generated-96x72', 'htt_small-window1_generated-96x72')  # for each t
    assert loaders[0].window == (8 if same_clips else head.window) <= loaders[0].clip_length
    assert [step.encoder for step in loaders[0].pipeline if step.type == 'GenerateTarget'] == [head.decoder]
    (shift,) = [step.max_shift for step in loaders[0].pipeline if step.type == 'ShiftClip']
    assert shift == pytest.approx(48 * sizes[0] / 480)
    for metrics in (cfg.val_evaluator, cfg.test_evaluator):
        pose, action, objects = (METRICS.build(metric) for metric in metrics)
        assert 21 * len(pose.hands) == head.num_joints
        assert (type(action).__name__, type(objects).__name__) == ('ClipActionMetric', 'ClipObjectMetric')
    assert cfg.runner_type == 'HandRunner' and cfg.default_hooks.checkpoint.save_best == 'action_accuracy'


@pytest.mark.parametrize(('stem', 'total'), [('htt_fpha', 25_468_102), ('htt_h2o', 25_498_858)])
def test_number_of_parameters(stem: str, total: int) -> None:
    init_default_scope('mmpose')
    with torch.device('meta'):
        model = build_pose_estimator(Config.fromfile(CONFIGS / 'htt' / f'{stem}.py').model)
    assert sum(p.numel() for p in model.parameters()) == total
    assert model.backbone.norm_eval and model.head.loss_module.weights == dict(pixel=1, depth=100, object=1, action=1)


def test_the_small_backbone_has_its_size_and_trains_its_batch_norms() -> None:
    init_default_scope('mmpose')
    with torch.device('meta'):
        model = build_pose_estimator(Config.fromfile(SMALL).model)
    assert sum(p.numel() for p in model.backbone.parameters()) == pytest.approx(0.7e6, rel=0.01)
    model.train()
    assert all(m.training for m in model.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d))


def test_schedule_is_the_papers() -> None:
    cfg = Config.fromfile(CONFIGS / 'htt' / 'htt_h2o.py')
    optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=[torch.nn.Parameter(torch.zeros(1))]))
    assert type(optimizer) is torch.optim.Adam and optimizer.defaults['weight_decay'] == 0
    scheduler = torch.optim.lr_scheduler.StepLR(
        optimizer, cfg.param_scheduler[0].step_size, cfg.param_scheduler[0].gamma
    )
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        scheduler.step()
    assert rates == pytest.approx(np.repeat([3e-5, 1.5e-5, 0.75e-5], 15)) and cfg.train_dataloader.batch_size == 2


def test_ablations_change_one_knob() -> None:
    def knobs(stem: str) -> tuple[int, int, int]:
        cfg = Config.fromfile(CONFIGS / 'htt' / f'{stem}.py')
        return cfg.model.head.window, cfg.train_dataloader.dataset.window, cfg.test_dataloader.dataset.clip_length

    for data in ('fpha', 'h2o'):
        assert knobs(f'htt_{data}') == (16, 16, 128)
        assert [knobs(f'htt_window{t}_{data}') for t in (1, 128)] == [(1, 1, 128), (128, 128, 128)]
        assert knobs(f'htt_clip16_{data}') == (16, 16, 16)


def small_training(tmp_path: Path, **more: object) -> HandRunner:
    """The small config, smaller still, on two made-up videos."""
    write_clips(tmp_path / 'data', clip_records((9, 5)), pictures=True)
    options: dict[str, object] = TINY | {
        'work_dir': str(tmp_path / 'work'),
        'log_level': 'ERROR',
        'train_cfg.max_epochs': 1,
        'train_cfg.val_interval': 1,
        'param_scheduler': [],
        'model.head.decoder.input_size': SIZE,
        'train_dataloader.dataset.pipeline.3.encoder.input_size': SIZE,
    }
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        options |= {
            f'{loader}.num_workers': 0,
            f'{loader}.persistent_workers': False,
            f'{loader}.dataset.data_root': str(tmp_path / 'data'),
            f'{loader}.dataset.ann_file': 'ann.json',
            f'{loader}.dataset.clip_length': 4,
            f'{loader}.dataset.window': 2,
            f'{loader}.dataset.pipeline.1.size': SIZE,
        }
    return build_runner(load_config(SMALL, options | more))


def test_a_small_training(tmp_path: Path) -> None:
    """One step and a test, from files to all scores."""
    runner = small_training(tmp_path)
    runner.train()
    scores = runner.val_loop.run()
    assert set(scores) == {
        'AUC',
        'AUC-RA',
        *(f'MEPE{kind}{part}' for kind in ('', '-RA') for part in ('', '/visible', '/occluded')),
        'action_accuracy',
        'action_mean_recall',
        'object_accuracy',
    }
    assert all(np.isfinite(value) for value in scores.values())
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    options = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 3, 'randomness.seed': 5}
    whole = small_training(tmp_path / 'whole', **options, experiment_name='whole')
    whole.train()
    killed = small_training(tmp_path / 'killed', **options, experiment_name='killed')
    killed.register_hook(Kill())
    with pytest.raises(SystemExit):
        killed.train()
    resumed = small_training(tmp_path / 'killed', **options, experiment_name='resumed', resume=True)
    resumed.train()
    assert resumed.iter == whole.iter
    for key, weight in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[key], weight, rtol=0, atol=0, msg=key)


def test_a_network_of_other_actions_than_the_data(tmp_path: Path) -> None:
    runner = small_training(tmp_path, **{'model.head.num_actions': 24, 'experiment_name': 'other_actions'})
    with pytest.raises(ValueError, match='num_classes: expected 3, .*, got 24; .* model.head.num_actions=3'):
        runner.train()
