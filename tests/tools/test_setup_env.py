"""The installation script refuses what it cannot do, and returns at once when nothing is to be done."""

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile

import pytest
from helpers.paths import ROOT

SCRIPT = ROOT / 'tools' / 'setup_env.sh'


def run(*args: str, **variables: str) -> subprocess.CompletedProcess:
    ours = ('HANDKP_PYTHON', 'TORCH_VERSION', 'HANDKP_CUDA_OPS')  # the caller's choices are not what is tested
    env = {k: v for k, v in os.environ.items() if k not in ours} | variables
    return subprocess.run(['bash', SCRIPT, *args], capture_output=True, text=True, cwd='/', env=env)


@pytest.mark.parametrize(
    'args, variables, says',
    [
        ([], {'TORCH_VERSION': '2.9.1'}, "TORCH_VERSION: expected 2.10.0 to 2.13.x, got '2.9.1'"),
        ([], {'HANDKP_CUDA_OPS': 'yes'}, "HANDKP_CUDA_OPS: expected 0 or 1, got 'yes'"),
        ([], {'HANDKP_PYTHON': '/no/python'}, "expected Python 3.10 to 3.12 with venv, got '/no/python'"),
        (['--force'], {}, "option: expected --check or --help, got '--force'"),
    ],
)  # fmt: skip
def test_refuses_what_it_cannot_do(args, variables, says):
    done = run(*args, **variables)
    assert done.returncode == 1
    assert says in done.stderr


def test_every_dependency_of_the_project_is_installed():
    project = (ROOT / 'pyproject.toml').read_text()
    dependencies = re.findall(r'"([\w-]+)[<>=]', re.search(r'^dependencies = \[(.*?)^\]', project, re.S | re.M)[1])
    script = SCRIPT.read_text()
    assert len(dependencies) > 8
    assert not [name for name in dependencies if not re.search(rf'\b{name}\b', script)]


def test_help_lists_every_variable_that_the_script_reads():
    done = run('--help')
    assert done.returncode == 0
    for name in ('HANDKP_PYTHON', 'TORCH_VERSION', 'HANDKP_CUDA_OPS', 'HANDKP_CACHE', 'MAX_JOBS'):
        assert name in done.stdout


@pytest.mark.skipif(not (ROOT / '.venv' / '.handkp_stamp').is_file(), reason='not installed by tools/setup_env.sh')
def test_returns_at_once_when_nothing_is_to_be_done():
    begun = time.monotonic()
    done = run()
    assert done.returncode == 0 and done.stdout == ''
    assert time.monotonic() - begun < 5


def test_wheel_contains_configs_tools_and_every_module(tmp_path):
    source = tmp_path / 'source'  # a build leaves files in the tree that it builds from
    skip = shutil.ignore_patterns('.venv', '.git', 'data', 'work_dirs', 'build', '*.egg-info', '__pycache__')
    shutil.copytree(ROOT, source, symlinks=True, ignore=skip)
    build = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', tmp_path, source]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob('handkp_plugins-*.whl')
    inside = set(zipfile.ZipFile(wheel).namelist())
    places = {'handkp_plugins': '', 'configs': '.mim/configs/', 'tools': '.mim/tools/'}
    for folder, place in places.items():
        files = [p.relative_to(source / folder) for p in (source / folder).rglob('*.py')]
        wanted = {f'handkp_plugins/{place}{f.as_posix()}' for f in files if '.mim' not in f.parts}
        assert wanted and wanted <= inside, wanted - inside
