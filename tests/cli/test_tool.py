"""How tools end: run as scripts, for the process' end is what is tested."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from helpers.paths import ROOT

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ('HANDKP_TRACEBACK', 'RANK', 'WORLD_SIZE')}
ENVIRONMENT.update(OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES='')


def run(*command: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=200,
        env=dict(ENVIRONMENT, **environment))  # fmt: skip


CASES = """
    import sys, warnings
    from handkp_plugins.errors import CheckpointError, HandkpError
    from handkp_plugins.cli.tool import run_tool

    def reading():
        raise ValueError('Caught ValueError in worker process 0.\\nOriginal Traceback ...\\nValueError: x.jpg')

    def cause(case):
        if case == 'value': raise ValueError('size: expected 3\\n ')
        if case == 'foreign': import json; json.loads('{')
        if case == 'file': open('/none/x')
        if case == 'checkpoint': raise CheckpointError('broken')
        if case == 'worker': reading()
        if case == 'ours': raise HandkpError('of this project,\\nits log:')
        if case == 'theirs': import torch; torch.zeros(2) @ torch.zeros(3)
        if case == 'fault': {}['key']
        if case == 'stop': raise KeyboardInterrupt
        if case == 'warn':
            warnings.warn('pkg_resources is deprecated as an API')
            warnings.warn('another')

    for case in sys.argv[1:]:
        try:
            run_tool(lambda: cause(case))
        except SystemExit as e:
            print(f'{case} -> {e.code}')
        except Exception as e:
            print(f'{case} raises {type(e).__name__}')
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / 'cases.py').write_text(textwrap.dedent(CASES))
    return tmp_path / 'cases.py'


def test_errors_of_use_are_one_line_and_faults_are_not(script: Path):
    cases = ['value', 'foreign', 'file', 'checkpoint', 'worker', 'ours', 'theirs', 'fault', 'stop', 'warn']
    done = run(script, *cases)
    assert done.stdout.splitlines() == [
        'value -> cases.py: size: expected 3',
        'foreign -> cases.py: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) '
        '(HANDKP_TRACEBACK=1 shows where)',
        "file -> cases.py: [Errno 2] No such file or directory: '/none/x'",
        'checkpoint -> cases.py: broken',
        'worker -> cases.py: ValueError: x.jpg',
        'ours -> cases.py: of this project,',
        'its log:',
        'theirs raises RuntimeError',
        'fault raises KeyError',
        'stop -> cases.py: stopped',
    ], done.stderr
    assert 'another' in done.stderr
    assert 'pkg_resources' not in done.stderr
    assert run(script, 'value', HANDKP_TRACEBACK='1').stdout == 'value raises ValueError\n'


@pytest.mark.parametrize(
    ('tool', 'message'),
    [
        ('train.py', 'no config file at /none'),
        ('dataset_converters/panoptic.py', '/none/.*: no such file'),
        ('analysis/aggregate_seeds.py', '/none: expected a JSON file'),
    ],
)
def test_a_tool_ends_by_one_line(tool: str, message: str):
    done = run(ROOT / 'tools' / tool, '/none')
    assert done.returncode == 1
    assert re.match(f'{Path(tool).name}: {message}', done.stderr.splitlines()[-1])
    assert 'Traceback' not in done.stderr


TWO = """
    import os, sys
    import torch
    from torch import distributed
    from handkp_plugins.cli.tool import run_tool

    def main():
        distributed.init_process_group('gloo')
        if distributed.get_rank() == 1:
            if sys.argv[1] == 'killed':
                os.kill(os.getpid(), 9)
            raise ValueError('the culprit')
        distributed.all_reduce(torch.zeros(1))

    run_tool(main)
"""


@pytest.mark.slow
@pytest.mark.parametrize(('how', 'shown'), [('raised', 'ValueError: the culprit'), ('killed', 'Signal 9')])
def test_the_first_of_two_processes_that_fails_is_shown(tmp_path: Path, how: str, shown: str):
    (tmp_path / 'two.py').write_text(textwrap.dedent(TWO))
    done = run('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', tmp_path / 'two.py', how)
    assert done.returncode == 1
    cause = done.stderr.partition('Root Cause')[2]
    assert 'rank      : 1 ' in cause, done.stderr
    assert shown in cause
    assert 'two.py: process 0 stops because another process failed' in done.stderr


def test_threads_wait_passively_in_training_and_testing(tmp_path: Path):
    """OpenMP reads it when PyTorch is imported: a stand-in for PyTorch sees what is there by then."""
    (tmp_path / 'torch.py').write_text("import os\nprint(os.environ['GOMP_SPINCOUNT'])\nos._exit(0)")
    path = f'{tmp_path}:{ROOT}'
    environment = {k: v for k, v in ENVIRONMENT.items() if k != 'GOMP_SPINCOUNT'}
    for tool in ('train', 'test'):
        for given, expected in (({}, '1000'), ({'GOMP_SPINCOUNT': '5'}, '5')):
            done = subprocess.run(
                [sys.executable, str(ROOT / 'tools' / f'{tool}.py')], capture_output=True, text=True,
                env=dict(environment, PYTHONPATH=path, **given))  # fmt: skip
            assert done.stdout == f'{expected}\n', done.stderr
