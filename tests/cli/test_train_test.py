from pathlib import Path

import pytest
from helpers.tiny_training import write_tiny_training
from mmengine.registry import DefaultScope

from handkp_plugins.cli import train_test as cli
from handkp_plugins.engine.runner import HandRunner


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_training(tmp_path_factory.mktemp('tiny')))


def train_config(config: str, *arguments: str):
    return cli.train_config(cli.train_parser().parse_args([config, *arguments]))


def config_of_test(config: str, *arguments: str):
    return cli.test_config(cli.test_parser().parse_args([config, 'x.pth', *arguments]))


def test_defaults(config: str):
    cfg = train_config(config)
    assert (cfg.work_dir, cfg.launcher, cfg.resume, cfg.load_from) == ('./work_dirs/tiny_training', 'none', False, None)
    assert 'type' not in cfg.optim_wrapper
    assert cfg.val_dataloader is not None
    cfg = config_of_test(config, '--work-dir', 'here')
    assert (cfg.work_dir, cfg.load_from, cfg.resume) == ('here', 'x.pth', False)


def test_training_arguments(config: str):
    cfg = train_config(config, '--amp', '--no-validate', '--resume', '--auto-scale-lr', '--launcher', 'pytorch')
    assert cfg.optim_wrapper.type == 'HandAmpOptimWrapper'
    assert cfg.channels_last is True
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert (cfg.resume, cfg.load_from, cfg.launcher) == (True, None, 'pytorch')
    assert cfg.auto_scale_lr == dict(base_batch_size=4, enable=True)
    cfg = train_config(config, '--resume', 'x.pth')
    assert (cfg.resume, cfg.load_from) == (True, 'x.pth')


def test_options_come_last_and_know_what_the_arguments_set(config: str):
    cfg = train_config(
        config, '--amp', '--cfg-options', 'optim_wrapper.dtype=bfloat16', 'channels_last=False', 'work_dir=there',
        'train_dataloader.dataset.pipeline.2.scale_factor=(0.9,1.1)')  # fmt: skip
    assert cfg.optim_wrapper.dtype == 'bfloat16'
    assert cfg.channels_last is False
    assert cfg.work_dir == 'there'
    assert cfg.train_dataloader.dataset.pipeline[2].scale_factor == (0.9, 1.1)
    with pytest.raises(ValueError, match=r'train_cfg.max_epoch: .* nearest is train_cfg.max_epochs'):
        train_config(config, '--cfg-options', 'train_cfg.max_epoch=3')


@pytest.mark.parametrize('parse', [train_config, config_of_test])
def test_pictures(config: str, parse):
    hook = parse(config, '--show-dir', 'pictures', '--interval', '5').default_hooks.visualization
    assert (hook.enable, hook.show, hook.out_dir, hook.interval) == (True, False, 'pictures', 5)
    with pytest.raises(ValueError, match='--interval: expected 1 or more, got 0'):
        parse(config, '--interval', '0')


def test_test_arguments(config: str):
    cfg = config_of_test(config, '--dump', 'p.pkl', '--badcase', '--show')
    assert cfg.test_evaluator[-1] == dict(type='DumpResults', out_file_path='p.pkl')
    assert len(cfg.test_evaluator) == 3
    assert cfg.default_hooks.badcase.metric.type == 'KeypointMSELoss'
    assert cfg.default_hooks.badcase.show
    assert not cfg.default_hooks.visualization.enable
    for argument, file in (('out', 'x.txt'), ('dump', 'x.json')):
        with pytest.raises(ValueError, match=f'--{argument}: expected a file name in .*, got {file}'):
            config_of_test(config, f'--{argument}', file)


def test_arguments_that_a_config_cannot_follow(tmp_path: Path):
    path = tmp_path / 'plain.py'
    path.write_text("optim_wrapper = dict(type='OptimWrapperDict')\ndefault_hooks = dict()\nmodel = dict()")
    for argument, message in (
        ('--amp', 'optim_wrapper.type: expected OptimWrapper, .*got OptimWrapperDict'),
        ('--auto-scale-lr', f'expected auto_scale_lr.base_batch_size in {path}, got none'),
        ('--show-dir=x', 'expected visualization in default_hooks'),
    ):
        with pytest.raises(ValueError, match=message):
            train_config(str(path), argument)


def test_preprocessing_of_old_configs(tmp_path: Path):
    path = tmp_path / 'plain.py'
    path.write_text("preprocess_cfg = dict(mean=[0])\nmodel = dict(type='X')")
    assert train_config(str(path)).model.data_preprocessor == dict(mean=[0])


def test_a_scope_that_another_library_left(config: str, tmp_path: Path):
    cfg = train_config(config, '--work-dir', str(tmp_path), '--cfg-options', 'experiment_name=scoped')
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert isinstance(cli.build_runner(cfg), HandRunner)


@pytest.mark.parametrize('text', ['train_cfg.max_epochs', 'x=[(1,2]'])
def test_options_that_are_no_pairs(config: str, capsys: pytest.CaptureFixture, text: str):
    with pytest.raises(SystemExit):
        train_config(config, '--cfg-options', 'a=1', text)
    assert f'--cfg-options: expected KEY=VALUE, with as many brackets opened as closed, got {text!r}' in (
        capsys.readouterr().err
    )


def test_outputs_are_checked_at_the_start(config: str, tmp_path: Path):
    for argument, what in (
        ('--out=/proc/none/x.json', 'folder of --out: .*choose another by --out'),
        ('--dump=/proc/none/x.pkl', 'folder of --dump: .*choose another by --dump'),
        ('--show-dir=/proc/none', 'folder of the images: .*choose another by --show-dir'),
    ):
        with pytest.raises(OSError, match=f'cannot write to the {what}.*/proc/none'):
            config_of_test(config, argument)
    config_of_test(config, '--out', str(tmp_path / 'new' / 'x.json'))
    assert list((tmp_path / 'new').iterdir()) == []


@pytest.mark.parametrize('parser', [cli.train_parser, cli.test_parser])
def test_help_shows_an_example(parser):
    text = parser().format_help()
    assert 'example: python tools/t' in text
    for argument in ('--work-dir', '--show-dir', '--cfg-options', '--launcher'):
        assert argument in text
