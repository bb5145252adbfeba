"""Steps side by side, and what a step leaves behind when it is interrupted."""

import os
import re
import threading
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from handkp_plugins.engine.experiments import steps
from handkp_plugins.errors import HandkpError


def share(monkeypatch: pytest.MonkeyPatch, cores: int, cuda: bool = False) -> None:
    """Let the machine have so many cores."""
    monkeypatch.setattr(os, 'sched_getaffinity', lambda process: set(range(cores)))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)


def test_an_interrupted_step_takes_its_process_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'tool.py').write_text('import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n')

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(re, 'search', interrupted)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        steps.run_step(tmp_path, 'tool.py', log=tmp_path / 'log')
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'log').read_text()), 0)


def test_steps_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Two wait each for the file of the other, so one after the other they would never end."""
    share(monkeypatch, 6)
    (tmp_path / 'tool.py').write_text("""
import os, sys, time
mine, other = sys.argv[1:]
open(mine, 'w').close()
deadline = time.time() + 60
while not os.path.exists(other) and time.time() < deadline:
    time.sleep(0.01)
print('seen' if os.path.exists(other) else 'alone', os.environ['OMP_NUM_THREADS'])
""")

    def task(mine: str, other: str, cores: int | None) -> str:
        steps.run_step(
            tmp_path, 'tool.py', mine, other,
            log=tmp_path / f'{mine}.log', show='seen.*', label=f'{mine}: ', environment=steps.threads(cores),
        )  # fmt: skip
        return mine

    pairs = ('a', 'b'), ('b', 'a'), ('c', 'a')
    assert steps.side_by_side([partial(task, *pair) for pair in pairs]) == ['a', 'b', 'c']
    assert {'a: seen 3', 'b: seen 3', 'c: seen 3'} <= set(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ('cores', 'cuda', 'at_once', 'each'),
    [(2, False, 2, 1), (8, False, 2, 4), (1, False, 2, None), (2, False, 1, None), (2, True, 2, None)],
)
def test_cores_of_each(monkeypatch: pytest.MonkeyPatch, cores: int, cuda: bool, at_once: int, each: int | None):
    share(monkeypatch, cores, cuda)
    for tasks in (1, 3):
        assert steps.side_by_side([lambda cores: cores] * tasks, at_once) == [each] * tasks


def test_what_a_training_on_one_core_is_told(monkeypatch: pytest.MonkeyPatch):
    workers = ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False']
    assert [steps.loading_options(cores) for cores in (1, 2, None)] == [workers, [], []]
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert [steps.threads(cores) for cores in (1, None)] == [dict(OMP_NUM_THREADS='1'), {}]
    monkeypatch.setenv('OMP_NUM_THREADS', '4')
    assert steps.threads(1) == {}


def test_a_step_that_fails_ends_the_one_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    share(monkeypatch, 2)
    for name in ('waits', 'late'):  # each has a log of its own: a late one may begin, and would empty that of the first
        (tmp_path / f'{name}.py').write_text('import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n')
    (tmp_path / 'fails.py').write_text("""
import os, sys, time
deadline = time.time() + 60
while not (os.path.exists('waits.log') and os.path.getsize('waits.log')) and time.time() < deadline:
    time.sleep(0.01)
sys.exit('no space')
""")

    def task(name: str, cores: int | None) -> None:
        steps.run_step(tmp_path, f'{name}.py', log=tmp_path / f'{name}.log')

    start = time.monotonic()
    with pytest.raises(HandkpError, match='fails.py failed .*\n?no space'):
        steps.side_by_side([partial(task, name) for name in ('waits', 'fails', 'late')])
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'waits.log').read_text()), 0)


@pytest.mark.parametrize('interrupted', [False, True])
def test_a_step_that_was_about_to_begin_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
):
    share(monkeypatch, 2)
    (tmp_path / 'waits.py').write_text('import time\ntime.sleep(60)\n')
    begun, error = threading.Event(), KeyboardInterrupt if interrupted else ValueError

    def fails(cores: int | None) -> None:
        begun.wait(60)
        if not interrupted:
            raise ValueError('no step at all')

    def late(cores: int | None) -> None:
        begun.set()
        time.sleep(0.5)
        steps.run_step(tmp_path, 'waits.py', log=tmp_path / 'log')

    def interrupt(*args, **kwargs):
        begun.wait(60)
        raise KeyboardInterrupt

    if interrupted:
        monkeypatch.setattr(steps, 'wait', interrupt)
    start = time.monotonic()
    with pytest.raises(error):
        steps.side_by_side([fails, late])
    assert time.monotonic() - start < 20
