"""HaMuCo's configs: short, one codec, knobs of the ablations, and small trainings from file to scores."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.hand_views import write_views
from helpers.killed_training import Kill
from helpers.paths import CONFIGS
from helpers.tiny_hamuco import SIZE, SMALL, TINY
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator

from handkp_plugins.cli.train_test import build_runner
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.runner import HandRunner

FOLDER = CONFIGS / 'hamuco'
LEAVES = sorted(FOLDER.glob('*.py'))
FRAMES, VIEWS = 4, 3


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_pipelines_and_head_agree(path: Path) -> None:
    cfg = Config.fromfile(path)
    size = cfg.model.head.input_size
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    for loader in loaders:
        steps = loader.dataset.pipeline
        assert [step.input_size for step in steps if step.type == 'TopdownAffine'] == [size]
        assert steps[0].strict  # another image instead of a broken one would be of another frame
        assert loader.sampler.type == 'ViewGroupSampler' and loader.batch_size % loader.sampler.num_views == 0
        assert loader.sampler.num_views == loaders[0].sampler.num_views
    names = [step.type for step in loaders[0].dataset.pipeline]
    assert names.index('RotateView') == names.index('TopdownAffine') + 1
    encoders = [step.encoder for step in loaders[0].dataset.pipeline if step.type == 'GenerateTarget']
    assert encoders == [dict(type='WeakPerspectiveLabel', input_size=size)]
    assert len(cfg.test_evaluator) == (3 if cfg.model.head.get('cross_view', True) else 1)
    assert cfg.default_hooks.checkpoint.save_best == 'PA-MPJPE'


@pytest.mark.parametrize(('stem', 'total'), [('r18', 20_519_435), ('r50', 98_362_571)])
def test_number_of_parameters(stem: str, total: int) -> None:
    init_default_scope('mmpose')
    with torch.device('meta'):
        backbone = build_pose_estimator(Config.fromfile(FOLDER / f'hamuco_{stem}_hanco.py').model)
    parts = backbone.head.features, backbone.head.cross
    assert sum(p.numel() for part in parts for p in part.parameters()) == total


def test_ablations_change_one_knob() -> None:
    base = Config.fromfile(FOLDER / 'hamuco_r18_hanco.py')
    knobs = {
        'uncalibrated': dict(extrinsics=False),
        'no-consistency': dict(loss=dict(type='HaMuCoLoss', consistency=0)),
        'no-distillation': dict(loss=dict(type='HaMuCoLoss', distillation=0)),
        'no-attention': dict(attention=False),
        'no-shared': dict(shared=False),
        'single': dict(cross_view=False),
    }
    for name, changes in knobs.items():
        cfg = Config.fromfile(FOLDER / f'hamuco_r18-{name}_hanco.py')
        assert cfg.model.head == base.model.head | changes and cfg.train_dataloader == base.train_dataloader
    for views in (1, 2, 4):
        cfg = Config.fromfile(FOLDER / f'hamuco_r18-views{views}_hanco.py')
        assert cfg.model == base.model and cfg.train_dataloader.sampler.num_views == views


def small_training(tmp_path: Path, config: Path = SMALL, **more: object) -> HandRunner:
    """The small config, smaller still, on images of noise."""
    data = tmp_path / 'data'
    if not data.exists():
        data.mkdir(parents=True)
        write_views(data, FRAMES, VIEWS, SIZE[0])
    options: dict[str, object] = TINY | {
        'work_dir': str(tmp_path / 'work'),
        'log_level': 'ERROR',
        'train_cfg.max_epochs': 1,
        'train_cfg.val_interval': 1,
        'param_scheduler': [],
        'model.head.teach_from': 0,
    }
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        options |= {
            f'{loader}.batch_size': 2 * VIEWS,
            f'{loader}.sampler.num_views': VIEWS,
            f'{loader}.num_workers': 0,
            f'{loader}.persistent_workers': False,
            f'{loader}.dataset.data_root': str(data),
            f'{loader}.dataset.ann_file': 'ann.json',
        }
    return build_runner(load_config(config, options | more))


def test_a_small_training(tmp_path: Path) -> None:
    """An epoch and a test, from files to all scores."""
    runner = small_training(tmp_path)
    runner.train()
    scores = runner.val_loop.run()
    names = {'MPJPE', 'PA-MPJPE', 'N-JE', 'AUC'}
    assert set(scores) == names | {f'{part}/{name}' for part in ('cross', 'fused') for name in names}
    assert all(np.isfinite(value) for value in scores.values())
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()


class Parities(Hook):
    """Note at which iterations the losses are those of even ones."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def before_train_iter(self, runner: HandRunner, batch_idx: int, data_batch: dict | None = None) -> None:
        self.seen.append(runner.message_hub.get_info('iter'))


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """Also with three iterations an epoch, where the alternation of L_c goes on from an odd one."""
    batches = {f'{split}_dataloader.batch_size': VIEWS for split in ('train', 'val', 'test')}
    options = batches | {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 1, 'randomness.seed': 5}
    options['train_dataloader.dataset.indices'] = 3 * VIEWS
    whole = small_training(tmp_path / 'whole', **options, experiment_name='whole')
    whole.train()
    killed = small_training(tmp_path / 'killed', **options, experiment_name='killed')
    killed.register_hook(Kill())
    with pytest.raises(SystemExit):
        killed.train()
    resumed = small_training(tmp_path / 'killed', **options, experiment_name='resumed', resume=True)
    parities = Parities()
    resumed.register_hook(parities, 'LOWEST')
    resumed.train()
    assert parities.seen == [3, 4, 5]
    for key, weight in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[key], weight, rtol=0, atol=0, msg=key)


def test_an_unreadable_view_is_an_error(tmp_path: Path) -> None:
    runner = small_training(tmp_path)
    (tmp_path / 'data' / '3.jpg').write_bytes(b'')
    with pytest.raises(OSError, match='3.jpg: unreadable image'):
        runner.train()
