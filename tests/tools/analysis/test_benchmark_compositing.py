"""The benchmark of compositing, at a tiny size."""

import pytest
from helpers.tool_module import load_tool


def test_every_step_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    table = load_tool('analysis/benchmark_compositing').main(sizes=(32,), batch_size=4, rounds=1, num=4, device='cpu')
    steps = ['all', 'backgrounds', 'layering', 'color', 'light', 'blurring', 'resolution', 'noising', 'compression']
    assert list(table[32]) == steps
    assert table[32]['all'] > 0
    assert '| ms per image | 32² |' in capsys.readouterr().out
