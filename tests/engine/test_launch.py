import pytest
import torch

from handkp_plugins.engine import launch
from handkp_plugins.engine.launch import check_gpu_count, describe_device, start_cpu_process_group


def test_errors(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match='launcher: expected none, pytorch, slurm, mpi, got ray'):
        start_cpu_process_group('ray')
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match='got none of RANK, WORLD_SIZE, LOCAL_RANK; start by tools/dist_train.sh'):
        start_cpu_process_group('pytorch')


@pytest.mark.parametrize(
    ('launcher', 'names'),
    [
        ('slurm', ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')),
        ('mpi', ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK')),
    ],
)
def test_group_of_one_from_other_launchers(monkeypatch: pytest.MonkeyPatch, launcher: str, names: tuple):
    for name, value in zip((*names, 'MASTER_ADDR', 'MASTER_PORT'), ('0', '1', '0', '127.0.0.1', '0'), strict=True):
        monkeypatch.setenv(name, value)
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.setenv(name, 'replaced')
    try:
        start_cpu_process_group(launcher, timeout=20)
        assert torch.distributed.get_backend() == 'gloo'
        assert torch.distributed.get_world_size() == 1
        start_cpu_process_group(launcher)  # the one that stands is kept
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.skipif(torch.cuda.is_available(), reason='without a GPU')
def test_the_device_is_told():
    assert describe_device(1).startswith('Device: CPU (no GPU was found; ')
    assert describe_device(1).endswith('1 process')
    assert describe_device(2).endswith('2 processes')


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    for processes in (1, 2):
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
        check_gpu_count()
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '3')
    with pytest.raises(ValueError, match=r'expected 1 to 2 \(GPUs\), got 3'):
        check_gpu_count()
