"""Run tools of the project one after another or side by side, and show the important lines of their output."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

import torch

from handkp_plugins.errors import HandkpError

Result = TypeVar('Result')
_running: set[subprocess.Popen] = set()


def side_by_side(tasks: Sequence[Callable[[int | None], Result]], at_once: int = 2) -> list[Result]:
    """Call functions that run steps with a log, several at a time, and return their results in order.

    On the CPU, two small trainings side by side are faster than one after the other. On a GPU or a single core the
    tasks run one after another. If one fails, the others are ended and the error is raised. Each task takes its number
    of cores, or None if tasks run one after another.
    """
    cores = len(os.sched_getaffinity(0)) // at_once
    if at_once < 2 or cores == 0 or torch.cuda.is_available():
        return [task(None) for task in tasks]
    with ThreadPoolExecutor(at_once) as pool:
        futures = []
        try:
            futures += [pool.submit(task, cores) for task in tasks]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # a task may just begin a step
                for process in list(_running):
                    process.terminate()
                time.sleep(0.1)
            raise
    return [future.result() for future in futures]


def say(line: str) -> None:
    """Print a line in one piece, while other threads print, too."""
    print(line + '\n', end='', flush=True)


def threads(cores: int | None) -> dict[str, str]:
    """The environment variables that limit a tool to so many cores, unless the user has set them."""
    return {} if cores is None or 'OMP_NUM_THREADS' in os.environ else dict(OMP_NUM_THREADS=str(cores))


def loading_options(cores: int | None) -> list[str]:
    """Config options: a training on one core loads its images itself."""
    return ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False'] if cores == 1 else []


def with_options(options: list[str]) -> list[str]:
    """The arguments of a tool for config options."""
    return ['--cfg-options', *options] if options else []


def run_step(
    root: Path,
    tool: str,
    *arguments: str,
    log: Path | None = None,
    show: str = r'(?!)',
    label: str = '',
    environment: Mapping[str, str] | None = None,
) -> None:
    """Print a command and run it in a process of its own; the HandkpError of a tool that fails ends with its log.

    Args:
        root: The folder of the project, where the tool runs.
        tool: Path of the tool in that folder.
        log: File for the output; by default the output goes to the terminal.
        show: Pattern of what to print of each line of the log; by default nothing.
        label: Start of each printed line.
        environment: More environment variables.
    """
    command = [tool, *arguments]
    say(f'$ python {shlex.join(command)}')
    argv = [sys.executable, '-u', *command]
    env = {**os.environ, **(environment or {})}
    if log is None:
        status = subprocess.run(argv, cwd=root, env=env).returncode
        if status:
            raise HandkpError(f'{tool} failed (exit status {status}): see above')
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    last: deque[str] = deque(maxlen=20)
    with (
        log.open('w', buffering=1) as file,  # line by line
        subprocess.Popen(
            argv, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        _running.add(process)
        try:
            for line in process.stdout:
                file.write(line)
                last.append(line)
                if found := re.search(show, line):
                    say((label + ' '.join(found[0].split()))[:160])
        except BaseException:
            process.terminate()
            raise
        finally:
            _running.discard(process)
    if process.returncode:
        raise HandkpError(f'{tool} failed (exit status {process.returncode}), its log is {log}:\n{"".join(last)}')
