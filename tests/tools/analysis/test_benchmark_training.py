"""The benchmark of training, on a training of seconds."""

import time

import pytest
from helpers.tiny_training import write_tiny_training
from helpers.tool_module import load_tool


def test_the_time_of_a_slow_part_is_found(tmp_path, capsys, monkeypatch):
    tool = load_tool('analysis/benchmark_training')
    from mmpose.models import PoseDataPreprocessor

    quick = PoseDataPreprocessor.forward
    monkeypatch.setattr(PoseDataPreprocessor, 'forward', lambda *a, **k: time.sleep(0.2) or quick(*a, **k))
    result = tool.main(str(write_tiny_training(tmp_path)), iterations=3, warm_up=1)
    parts = {part: result[part] for part in tool.PARTS}
    assert min(parts.values()) > 0
    assert parts['preprocessing'] >= 100 > parts['forward and loss']  # 0.2 s for each batch of two
    assert result['images/s'] == pytest.approx(1e3 / sum(parts.values()))
    assert f'| preprocessing | {result["preprocessing"]:.2f} |' in capsys.readouterr().out
    assert not list(tmp_path.rglob('*.pth'))


def test_nothing_to_count(tmp_path):
    with pytest.raises(ValueError, match='iterations, warm_up: expected 1 or more and 0 or more, got 0, 5'):
        load_tool('analysis/benchmark_training').main('x.py', iterations=0)
