"""A table of signs whose keypoints tell them apart, for tests of what reads them."""

from pathlib import Path

import numpy as np

from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES

SIGNS = ('open', 'fist', 'point')


def gesture_rows(per_sign: int, seed: int = 0, signs: tuple[str, ...] = SIGNS) -> list[tuple[str, np.ndarray]]:
    """(sign, keypoints (21, 2) in pixels): hands of one shape, a little turned and disturbed."""
    rng = np.random.default_rng(seed)
    rows = []
    for sign in signs:
        flat = hand_keypoints(GESTURES[sign].angles, HandShape())[:, :2]
        for _ in range(per_sign):
            a = rng.normal(0, 0.1)
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            size, place = rng.uniform(500, 2000), rng.uniform(100, 400, 2)
            rows.append((sign, size * (flat + rng.normal(0, 0.001, flat.shape)) @ turn + place))
    return rows


def write_table(path: Path, rows: list[tuple[str, np.ndarray]]) -> Path:
    """Write them as lines ``label, x0, y0, …``."""
    lines = [','.join([sign, *(f'{v:.3f}' for v in points.ravel())]) for sign, points in rows]
    path.write_text('\n'.join(lines) + '\n')
    return path
