import os
import re
import subprocess
import sys

import pytest
from helpers.paths import ROOT

README = (ROOT / 'README.md').read_text()


def test_it_is_short():
    assert README.count('\n') <= 120


def test_the_two_commands_are_make_targets():
    for target in ('demo', 'test'):
        assert f'\nmake {target}\n' in README
        assert subprocess.run(['make', '-n', target], cwd=ROOT, capture_output=True).returncode == 0


def test_table_of_systems_links_their_folders():
    systems = {p.parent.name for p in ROOT.glob('configs/*/README.md')}
    assert systems
    assert not [s for s in systems if f'configs/{s}' not in README]


@pytest.mark.slow
def test_the_lines_of_python_run():
    (lines,) = re.findall(r'```python\n(.*?)```', README, re.S)
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    done = subprocess.run([sys.executable, '-c', lines], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r'\[[\s\d.]+\] \[\[', done.stdout)) >= 2  # two hands in docs/scene.jpg, each with keypoints
