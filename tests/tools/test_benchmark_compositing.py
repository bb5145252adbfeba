"""The benchmark of compositing, at a tiny size."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'analysis' / 'benchmark_compositing.py'


def test_every_step_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location(TOOL.stem, TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    table = tool.main(sizes=(32,), batch_size=4, rounds=1, num=4, device='cpu')
    steps = ['all', 'backgrounds', 'layering', 'color', 'light', 'blurring', 'resolution', 'noising', 'compression']
    assert list(table[32]) == steps
    assert table[32]['all'] > 0
    assert '| ms per picture | 32² |' in capsys.readouterr().out
