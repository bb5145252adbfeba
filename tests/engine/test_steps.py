"""engine/steps.py: what a step leaves behind when it is interrupted."""

import os
import re
import time
from pathlib import Path

import pytest

from handkp_plugins.engine import steps


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
