"""HandPipeline over a long video: what it keeps of each hand stays bounded, and the lag is of the newest frames."""

import numpy as np
import pytest
from torch import nn

from handkp_plugins.apps.demo import hand_pipeline
from handkp_plugins.apps.demo.hand_pipeline import HandPipeline


def test_the_lag_is_measured_on_the_last_frames_alone(monkeypatch: pytest.MonkeyPatch):
    """A hand that stands still for long after it has moved has no lag any more."""
    monkeypatch.setattr(hand_pipeline, '_HISTORY', 60)
    place = np.zeros((21, 2), np.float32)
    found = dict(bbox=np.array([0.0, 0, 100, 100]), scores=np.ones(21))
    monkeypatch.setattr(hand_pipeline, 'predict', lambda *args: [dict(found, keypoints=place.copy())])
    pipeline = HandPipeline(nn.Identity(), lambda path, width, height: [], smoothing={})
    image, boxes = np.zeros((8, 8, 3), np.uint8), found['bbox'][None]

    def run(frames: range, speed: float) -> float | None:
        for frame in frames:
            place[:] = 50 + 30 * np.sin(speed * frame)
            pipeline.process_frame(image, frame / 30, boxes)
        return pipeline.smoothing_lag()['lag']

    assert run(range(60), 0.2) > 0
    assert run(range(60, 130), 0) is None
