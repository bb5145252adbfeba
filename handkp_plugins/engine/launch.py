"""Join the processes of a training on the CPU, which MMEngine cannot, and check their number on GPUs."""

import atexit
import os
import subprocess
from datetime import timedelta
from typing import Any

import torch
from mmengine.device import get_device
from torch import distributed

_ENVIRONMENT = {  # launcher: its names of rank, number of processes, rank on this machine
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
}


def start_cpu_process_group(launcher: str, timeout: float | None = None, **_: Any) -> None:
    """Join the processes of ``launcher`` by gloo, unless they are joined already.

    Call this before MMEngine sets up its environment: MMEngine's ``init_dist`` needs a GPU. A process waits ``timeout``
    seconds for the others. Raises ValueError if the launcher is unknown, or did not start this process.
    """
    if launcher not in _ENVIRONMENT:
        raise ValueError(f'launcher: expected none, {", ".join(_ENVIRONMENT)}, got {launcher}')
    if distributed.is_initialized():
        return
    names = _ENVIRONMENT[launcher]
    if missing := [name for name in names if name not in os.environ]:
        raise ValueError(
            f'launcher {launcher}: expected {", ".join(names)} in the environment, got none of {", ".join(missing)}; '
            'start by tools/dist_train.sh (torchrun), or omit --launcher for one process'
        )
    for ours, theirs in zip(_ENVIRONMENT['pytorch'], names, strict=True):
        os.environ[ours] = os.environ[theirs]
    os.environ.setdefault('MASTER_PORT', '29500')
    if launcher == 'slurm' and 'MASTER_ADDR' not in os.environ:
        hosts = ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']]
        os.environ['MASTER_ADDR'] = subprocess.run(hosts, check=True, capture_output=True, text=True).stdout.split()[0]
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    distributed.init_process_group('gloo', timeout=timedelta(seconds=timeout) if timeout else None)


def leave_process_group_at_exit() -> None:
    """Leave the process group when this process ends; else threads of gloo may abort it."""
    atexit.register(lambda: distributed.is_initialized() and distributed.destroy_process_group())


def check_gpu_count() -> None:
    """Raise ValueError if this machine has more processes than GPUs."""
    wanted, present = int(os.environ.get('LOCAL_WORLD_SIZE', 1)), torch.cuda.device_count()
    if get_device() == 'cuda' and wanted > present:
        raise ValueError(f'number of processes on this machine: expected 1 to {present} (GPUs), got {wanted}')


def describe_device(processes: int) -> str:
    """Describe in one line what the work runs on."""
    device = get_device()
    if device == 'cuda':
        name = f'GPU {torch.cuda.get_device_name()}'
    elif device == 'cpu':
        name = f'CPU (no GPU was found; {torch.get_num_threads()} threads a process)'
    else:
        name = device
    return f'Device: {name}, {processes} process{"es" if processes > 1 else ""}'
