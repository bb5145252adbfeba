"""Runs the project's tools as a user would, one after another or side by side, and shows the lines that matter."""

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
    """Call functions that run steps, several at a time; returns what they return, in their order.

    A small network leaves one of two cores idle for much of the time, so that one training on each gets more done than
    one after the other on both. A GPU is not shared, and neither is a single core.

    Where one fails, or this process is interrupted, all are ended, at their next step at the latest, and the error goes
    on. Such steps need a log.

    Args:
        tasks: each is given how many cores it has to itself, or None where they run one after another.
        at_once: how many run at the same time.
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
            while not all(future.done() for future in futures):  # one may just be about to begin a step
                for process in list(_running):
                    process.terminate()
                time.sleep(0.1)
            raise
    return [future.result() for future in futures]


def say(line: str) -> None:
    """Print a line in one piece: others may print at the same time."""
    print(line + '\n', end='', flush=True)


def threads(cores: int | None) -> dict[str, str]:
    """The variables that keep a tool to so many cores; none for None, or where the user has said how many."""
    return {} if cores is None or 'OMP_NUM_THREADS' in os.environ else dict(OMP_NUM_THREADS=str(cores))


def loading_options(cores: int | None) -> list[str]:
    """Config options: a training on one core loads its pictures itself, as another process would only take turns."""
    return ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False'] if cores == 1 else []


def with_options(options: list[str]) -> list[str]:
    """Config options as arguments of a tool."""
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
    """Run a tool in a process of its own; the command is printed first.

    Args:
        root: the project's folder, where the tool runs.
        tool: path of the tool, as seen from there.
        log: file that takes its output; by default the output goes to the terminal.
        show: pattern of what to show of a line of the output, where there is a log; by default nothing.
        label: what such a line begins with.
        environment: variables that the tool sees besides those of this process.

    Raises:
        HandkpError: the tool failed; the message holds the end of its output and names its log.
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
        log.open('w', buffering=1) as file,  # line by line, for whoever follows it
        subprocess.Popen(
            argv, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        _running.add(process)
        try:
            for line in process.stdout:
                file.write(line)
                last.append(line)
                found = re.search(show, line)
                if found:
                    say((label + ' '.join(found[0].split()))[:160])
        except BaseException:
            process.terminate()  # it must not go on alone where only this process was interrupted
            raise
        finally:
            _running.discard(process)
    if process.returncode:
        raise HandkpError(f'{tool} failed (exit status {process.returncode}), its log is {log}:\n{"".join(last)}')
