import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import distributed_worker
from helpers.paths import ROOT
from helpers.tiny_training import make_runner, write_tiny_training

TOOLS = ROOT / 'tools'
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ('PORT', 'NNODES', 'RANK', 'WORLD_SIZE')}
ENVIRONMENT.update(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', PYTHON=sys.executable, CUDA_VISIBLE_DEVICES='')


def call(*command: object, **kwargs: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=300, **{'env': ENVIRONMENT, **kwargs}
    )


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_training(tmp_path_factory.mktemp('tiny'), num_images=13)


def gradients(checkpoint: Path) -> list[torch.Tensor]:
    """After one step of SGD with momentum, its buffers are the gradients."""
    states = torch.load(checkpoint, weights_only=True)['optimizer']['state']
    return [states[i]['momentum_buffer'] for i in sorted(states)]


@pytest.mark.slow
def test_two_processes_train_as_one_with_twice_the_batch(config: Path, tmp_path: Path):
    options = {
        'train_cfg.max_epochs': 1,
        'train_dataloader.dataset.indices': 4,
        'train_dataloader.dataset.pipeline.2.shift_prob': 0.0,
        'train_dataloader.dataset.pipeline.2.scale_factor': (1.0, 1.0),
        'train_dataloader.dataset.pipeline.2.rotate_prob': 0.0,
    }
    single = dict(options, **{'train_dataloader.batch_size': 4})
    make_runner(config, tmp_path / 'one', **{k.replace('.', '__'): v for k, v in single.items()}).train()
    arguments = [f'{k}={",".join(map(str, v)) if isinstance(v, tuple) else v}' for k, v in options.items()]
    two = call(TOOLS / 'dist_train.sh', config.name, 2, '--work-dir', tmp_path / 'two', '--cfg-options', *arguments,
               cwd=config.parent)  # fmt: skip
    assert two.returncode == 0, two.stderr
    expected, got = (gradients(tmp_path / d / 'epoch_1.pth') for d in ('one', 'two'))
    assert len(expected) == len(got) > 10
    assert max(g.abs().max() for g in expected) > 1e-3
    for a, b in zip(expected, got, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-7)
    assert len(torch.load(tmp_path / 'two' / 'epoch_1.pth', weights_only=True)['random_states']) == 2


@pytest.mark.slow
def test_two_processes_test_as_one(config: Path, tmp_path: Path):
    make_runner(config, tmp_path, train_cfg__max_epochs=1, train_dataloader__dataset__indices=4).train()
    checkpoint = tmp_path / 'epoch_1.pth'
    one = distributed_worker.main(str(config), str(checkpoint), str(tmp_path), 'none')
    result = call(sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2',
                  distributed_worker.__file__, config, checkpoint, tmp_path, cwd=tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / '.dist_test').exists()
    assert not list((tmp_path / 'work').glob('**/collected'))
    for rank in (0, 1):
        metrics = json.loads((tmp_path / f'pytorch{rank}.json').read_text())
        assert metrics.keys() == one.keys()
        for case, expected in one.items():
            assert metrics[case] == pytest.approx(expected, rel=1e-5), case
    assert len({metrics['EPE'] for metrics in one.values()}) == 3


@pytest.mark.parametrize(('script', 'positional'), [('dist_train', 1), ('dist_test', 2), ('slurm_train', 4)])
def test_usage(script: str, positional: int):
    for arguments in ([], ['x'] * (positional - 1), ['x'] * positional + ['many']):
        if script == 'slurm_train' and len(arguments) > 4:
            continue
        result = call(TOOLS / f'{script}.sh', *arguments)
        assert (result.returncode, result.stdout) == (2, '')
        assert 'usage:' in result.stderr
        assert 'example:' in result.stderr


@pytest.fixture
def stub(tmp_path: Path) -> dict[str, str]:
    """An environment in which the interpreter, nproc and srun only write down how they are called."""
    for name, text in (('python', 'printf "%s\\n" "$OMP_NUM_THREADS" "$@"'), ('nproc', 'echo 8'),
                       ('srun', 'printf "%s\\n" "$@"')):  # fmt: skip
        (tmp_path / name).write_text(f'#!/usr/bin/env bash\n{text}\n')
        (tmp_path / name).chmod(0o755)
    env = {k: v for k, v in ENVIRONMENT.items() if k != 'OMP_NUM_THREADS'}
    return dict(env, PYTHON=str(tmp_path / 'python'), PATH=f'{tmp_path}:{env["PATH"]}')


def test_scripts_hand_arguments_on_unharmed(stub: dict[str, str], tmp_path: Path):
    result = call(TOOLS / 'dist_train.sh', 'a config.py', 2, '--cfg-options', 'x=[(1, 2)]', env=stub, cwd=tmp_path)
    assert result.stdout.splitlines() == [
        '4', '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', f'{TOOLS}/train.py', 'a config.py',
        '--cfg-options', 'x=[(1, 2)]', '--launcher', 'pytorch']  # fmt: skip
    several = dict(stub, NNODES='2', NODE_RANK='1', MASTER_ADDR='host', PORT='123')
    result = call(TOOLS / 'dist_test.sh', 'c.py', 'x.pth', 16, env=several, cwd=tmp_path)
    assert result.stdout.splitlines() == [
        '1', '-m', 'torch.distributed.run', '--nnodes=2', '--node_rank=1', '--master_addr=host', '--master_port=123',
        '--nproc_per_node=16', f'{TOOLS}/test.py', 'c.py', 'x.pth', '--launcher', 'pytorch']  # fmt: skip
    result = call(TOOLS / 'slurm_train.sh', 'gpu', 'job', 'c.py', 'work', '--amp', env=dict(stub, GPUS='4'))
    assert result.stdout.splitlines() == [
        '-p', 'gpu', '--job-name=job', '--ntasks=4', '--cpus-per-task=5', '--kill-on-bad-exit=1', '--gres=gpu:8',
        '--ntasks-per-node=8', stub['PYTHON'], '-u', f'{TOOLS}/train.py', 'c.py', '--work-dir=work',
        '--launcher=slurm', '--amp']  # fmt: skip
