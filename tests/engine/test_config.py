from pathlib import Path
from typing import Any

import pytest
from helpers.tiny_training import write_tiny_training
from mmengine.config import Config

from handkp_plugins.engine.config import apply_options, load_config


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_training(tmp_path_factory.mktemp('tiny'))


def read(cfg: Config, name: str) -> Any:
    node = cfg
    for key in name.split('.'):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('train_cfg.max_epochs', 3),  # stands in the config
        ('train_cfg.val_begin', 2),  # an argument of a loop without type
        ('model.backbone.frozen_stages', 1),  # an argument of the class
        ('model.head.init_cfg.type', 'Pretrained'),  # a part that does not exist yet
        ('model.test_cfg.flip_test', True),
        ('train_dataloader.dataset.pipeline.0.strict', True),  # an entry of a list
        ('train_dataloader.dataset.indices', 4),  # an argument of a base class, through **kwargs or not
        ('train_dataloader.prefetch_factor', 4),  # an argument of PyTorch's loader
        ('optim_wrapper.clip_grad.max_norm', 1.0),
        ('optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult', 0.1),
        ('param_scheduler.0.convert_to_iter_based', True),
        ('default_hooks.checkpoint.save_best', 'EPE'),
        ('default_hooks.checkpoint.priority', 'LOW'),
        ('default_hooks.ema.type', 'EMAHook'),
        ('env_cfg.dist_cfg.timeout', 60),
        ('find_unused_parameters', True),
    ],
)
def test_known_keys_are_set(config: Path, name: str, value: Any):
    assert read(load_config(config, {name: value}), name) == value


@pytest.mark.parametrize(
    ('name', 'nearest'),
    [
        ('train_cfg.max_epoch', 'train_cfg.max_epochs'),
        ('train_confg', 'train_cfg'),
        ('model.backbone.frozen_stage', 'model.backbone.frozen_stages'),
        ('lr', 'optim_wrapper.optimizer.lr'),
        ('optim_wrapper.lr', 'optim_wrapper.optimizer.lr'),
        ('train_dataloader.bach_size', 'train_dataloader.batch_size'),
        ('train_dataloader.dataset.pipeline.0.strikt', 'train_dataloader.dataset.pipeline.0.strict'),
        ('default_hooks.chekpoint', 'default_hooks.checkpoint'),
        ('default_hooks.checkpoint.intervall', 'default_hooks.checkpoint.interval'),
        ('env_cfg.mp_cfg.mp_start_methd', 'env_cfg.mp_cfg.mp_start_method'),
        ('xyz', ''),
    ],
)
def test_misspelt_keys_are_refused_with_the_nearest(config: Path, name: str, nearest: str):
    for suffix in ('', '.x.y'):
        with pytest.raises(ValueError, match=f'--cfg-options {name}: no config knows .* nearest is {nearest}'):
            load_config(config, {name + suffix: 1})


@pytest.mark.parametrize(
    ('name', 'allowed'),
    [
        ('optim_wrapper.optimizer.betas', 'dampening, .*lr, .*momentum, .*weight_decay'),
        ('model.head.loss.foo', 'loss_weight, skip_empty_channel, type, use_target_weight'),
        ('train_cfg.foo', 'by_epoch, .*max_epochs'),
    ],
)
def test_where_no_name_is_near_all_that_are_allowed_are_listed(config: Path, name: str, allowed: str):
    with pytest.raises(
        ValueError, match=f'{name}: no config knows this key; {name.rpartition(".")[0]} may have .*{allowed}'
    ):
        load_config(config, {name: 1})


@pytest.mark.parametrize(
    ('name', 'number'),
    [('train_cfg.max_epochs', 2), ('optim_wrapper.optimizer.lr', 0.1), ('train_dataloader.batch_size', 2)],
)
def test_text_in_place_of_a_number(config: Path, name: str, number: float):
    with pytest.raises(ValueError, match=f"--cfg-options {name}: expected a number, as {number}, got 'abc'"):
        load_config(config, {name: 'abc'})


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        (
            'train_dataloader.dataset.pipeline.6.x',
            'expected 0 to 5 in the list train_dataloader.dataset.pipeline, got 6',
        ),
        ('train_dataloader.dataset.pipeline.first.x', 'expected 0 to 5 in the list .*, got first'),
        ('train_cfg.max_epochs.x', 'train_cfg.max_epochs is 2, which has nothing inside'),
        ('codec.sigma', r'got a helper variable.*model.head.decoder, train_dataloader.dataset.pipeline.4.encoder'),
    ],
)
def test_names_that_lead_nowhere(config: Path, name: str, message: str):
    with pytest.raises(ValueError, match=f'--cfg-options {name.split(".")[0]}.*{message}'):
        load_config(config, {name: 1})


def test_contradicting_options(config: Path):
    with pytest.raises(ValueError, match='val_cfg.fp16: val_cfg is given a value by another option'):
        load_config(config, {'val_cfg': 1, 'val_cfg.fp16': True})


def test_type_from_the_options_decides(config: Path):
    cfg = load_config(config)
    apply_options(
        cfg,
        {
            'model.head.loss._delete_': True,
            'model.head.loss.type': 'KeypointOHKMMSELoss',
            'model.head.loss.topk': 4,
            'optim_wrapper.type': 'HandAmpOptimWrapper',
            'optim_wrapper.dtype': 'bfloat16',
        },
    )
    assert cfg.model.head.loss == dict(type='KeypointOHKMMSELoss', topk=4)
    with pytest.raises(ValueError, match='model.head.loss.topk'):
        load_config(config, {'model.head.loss.topk': 4})


def test_values_that_are_none_or_in_a_list_can_be_set(config: Path):
    cfg = load_config(config)
    cfg.model.head.init_cfg = None
    apply_options(cfg, {'model.head.init_cfg.type': 'Normal', 'param_scheduler.0.milestones.1': 9})
    assert cfg.model.head.init_cfg == dict(type='Normal')
    assert cfg.param_scheduler[0].milestones == [1, 9]


def test_missing_config(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=f'no config file at {tmp_path}/none.py'):
        load_config(tmp_path / 'none.py')


@pytest.mark.parametrize('base', [False, True])
@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = 1\nb = dict(', 'broken.py, line 2: SyntaxError'),
        ('a = 1\n\nb = a + undefined', "broken.py, line 3: NameError: name 'undefined'"),
        ("_base_ = ['missing.py']", 'FileNotFoundError.*missing.py'),
        ("_base_ = ['one.py', 'two.py']", 'broken.py: KeyError: .*Duplicate.*x'),
    ],
)
def test_config_that_does_not_parse(tmp_path: Path, text: str, message: str, base: bool):
    (tmp_path / 'broken.py').write_text(text)
    for name in ('one', 'two'):
        (tmp_path / f'{name}.py').write_text('x = dict(y=1)')
    (tmp_path / 'leaf.py').write_text("_base_ = ['broken.py']\nc = 1")
    path = tmp_path / ('leaf.py' if base else 'broken.py')
    with pytest.raises(ValueError, match=rf'config {path} cannot be read: .*{message}'):
        load_config(path)
