"""keypoints.json of calibrated views of a hand that moves, as tools/demo.py writes it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .views import SIZE, cameras, hands, seen


def moving_hand(frames: int = 12) -> np.ndarray:
    """Points (F, 21, 3) in metres of one rigid hand."""
    return hands()[0] + np.linspace([-0.05, 0, 0], [0.05, 0.02, 0], frames)[:, None]


def write_view(path: Path, keypoints: np.ndarray, scores: float | np.ndarray = 0.9, **more: object) -> Path:
    """Write one hand a frame (F, 21, 2); none where it is NaN."""
    scores = np.broadcast_to(scores, keypoints.shape[:2])
    items = [
        dict(frame=i, time=i / 30, width=SIZE[0], height=SIZE[1], instances=[
            dict(keypoints=p.tolist(), scores=s.tolist(), track=1)] * int(np.isfinite(p).all()))
        for i, (p, s) in enumerate(zip(keypoints, scores, strict=True))
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(version=1, source=f'{path.stem}.avi', items=items, skipped=[]) | more))
    return path


def write_calibration(path: Path, order: Sequence[int] = (0, 1, 2), **more: object) -> Path:
    """Write the cameras of :func:`write_views`."""
    k, r, t = (part.tolist() for part in cameras(3))
    records = [dict(name='abc'[i], K=k[i], R=r[i], t=t[i], size=SIZE) | more for i in order]
    path.write_text(json.dumps(dict(unit='m', cameras=records)))
    return path


def write_views(folder: Path, frames: int = 12, noise: float = 0.0) -> tuple[list[Path], np.ndarray]:
    """Write a.json, b.json and c.json, and return them with the points (F, 21, 3)."""
    truth = moving_hand(frames)
    pixels = seen(truth, cameras(3))
    pixels = pixels + np.random.default_rng(0).normal(0, noise, pixels.shape)
    return [write_view(folder / f'{name}.json', pixels[:, i]) for i, name in enumerate('abc')], truth
