import json
from pathlib import Path

import numpy as np
import pytest
from helpers.tiny_detector import write_tiny_detector
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import load_tool


def in_the_box(model: object, image: np.ndarray, boxes: np.ndarray, *_: object) -> list[dict]:
    corners = [np.linspace(box[:2], box[2:], 21) for box in boxes]
    return [dict(bbox=b, keypoints=k, scores=np.ones(21)) for b, k in zip(boxes, corners, strict=True)]


def test_each_step_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr('handkp_plugins.apps.demo.hand_pipeline.predict', in_the_box)
    tool = load_tool('analysis/benchmark_demo')
    make = tool.write_video

    def still_hands(*args: object) -> tuple[Path, np.ndarray]:
        video, boxes = make(*args)
        return video, boxes[:1].repeat(len(boxes), axis=0)

    monkeypatch.setattr(tool, 'write_video', still_hands)  # in_the_box does not follow hands that move
    networks = dict(det=write_tiny_detector(tmp_path), pose=write_tiny_model(tmp_path))
    result = tool.main(
        frames=4, every=3, hands=2, size=(128, 64), device='cpu', out=tmp_path / 'times.json', **networks
    )
    assert json.loads((tmp_path / 'times.json').read_text()) == result
    every, third = result['each frame'], result['every 3 frames']
    # 5 frames warm up, and the detector runs in frames 0, 3 and 6
    assert every['detector_runs'] == 4 and third['detector_runs'] == 1
    for row in (every, third):
        assert row['hands'] == 2
        assert all(row[f'{step}_ms'] > 0 for step in tool.STEPS)
        assert sum(row[f'{step}_ms'] for step in tool.STEPS) == pytest.approx(1e3 / row['frames_per_second'])
        assert row['detection_ms'] == pytest.approx(row['detection_ms_a_run'] * row['detector_runs'] / 4)
    assert 'every 3 frames' in capsys.readouterr().out


def test_numbers_that_cannot_be():
    tool = load_tool('analysis/benchmark_demo')
    for bad in (dict(frames=0), dict(every=1), dict(hands=3)):
        with pytest.raises(ValueError, match='frames, every, hands: expected from 1, from 2, 1 or 2, got'):
            tool.main(**bad)
