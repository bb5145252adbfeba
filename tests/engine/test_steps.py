"""engine/steps.py: steps side by side, and what a step leaves behind when it is interrupted."""

import os
import re
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from handkp_plugins.engine import steps


def share(monkeypatch: pytest.MonkeyPatch, cores: int, cuda: bool = False) -> None:
    """Let the machine have so many cores."""
    monkeypatch.setattr(os, 'sched_getaffinity', lambda process: set(range(cores)))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)


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
while not os.path.exists(other):
    time.sleep(0.01)
print('seen', os.environ['OMP_NUM_THREADS'])
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
    ('cores', 'cuda', 'tasks', 'each'), [(2, False, 2, 1), (8, False, 3, 4), (1, False, 2, None), (2, False, 1, None)]
    + [(2, True, 2, None)]
)  # fmt: skip
def test_cores_of_each(monkeypatch: pytest.MonkeyPatch, cores: int, cuda: bool, tasks: int, each: int | None):
    share(monkeypatch, cores, cuda)
    assert steps.side_by_side([lambda cores: cores] * tasks) == [each] * tasks


def test_a_training_on_one_core_loads_its_pictures_itself():
    workers = ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False']
    assert [steps.loading_options(cores) for cores in (1, 2, None)] == [workers, [], []]
    assert [steps.threads(cores) for cores in (1, None)] == [dict(OMP_NUM_THREADS='1'), {}]


def test_a_step_that_fails_ends_the_one_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    share(monkeypatch, 2)
    begun = []
    (tmp_path / 'waits.py').write_text('import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n')
    (tmp_path / 'fails.py').write_text("""
import os, sys, time
while not (os.path.exists('waits.log') and os.path.getsize('waits.log')):
    time.sleep(0.01)
sys.exit('no space')
""")

    def task(name: str, cores: int | None) -> None:
        begun.append(name)
        steps.run_step(tmp_path, f'{name}.py', log=tmp_path / f'{name}.log')

    start = time.monotonic()
    with pytest.raises(RuntimeError, match='fails.py failed .*\n?no space'):
        steps.side_by_side([partial(task, name) for name in ('waits', 'fails', 'waits')])
    assert begun == ['waits', 'fails']
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'waits.log').read_text()), 0)
