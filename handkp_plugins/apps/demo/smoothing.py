"""Smoothing of keypoints in real time, and its lag.

The One-Euro filter: G. Casiez, N. Roussel, D. Vogel: 1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems, CHI 2012, algorithm 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.interpolate import interp1d

_MAX_LAG = 0.3  # s: beyond, a repeated movement may fit the one before
_MIN_FRAMES = 10
_MIN_SPREAD = 0.01  # hand sizes: a hand whose keypoints spread less over time does not move

MIN_CUTOFF, BETA = 1.5, 4.0
"""Hz, and Hz for each hand size per second."""


class OneEuroFilter:
    """A low-pass filter whose cutoff rises with speed: it steadies a still hand and hardly delays a fast one.

    It takes one array after another, all of the same shape [..., D]: points of D coordinates, each with its own speed.
    Times may be uneven. Speeds are in hand sizes per second, so that the image resolution does not matter.

    Args:
        min_cutoff: Hz, above 0, for a still point. A lower value gives less jitter and more lag.
        beta: Hz for each hand size per second. A higher value gives less lag and more jitter in fast movement.
        speed_cutoff: Hz, of the filter of the speed.
    """

    def __init__(self, min_cutoff: float = MIN_CUTOFF, beta: float = BETA, speed_cutoff: float = 1.0) -> None:
        if not (min_cutoff > 0 and speed_cutoff > 0 and beta >= 0):
            raise ValueError(
                'min_cutoff, speed_cutoff, beta: expected numbers above 0, and beta from 0 on, got '
                f'{min_cutoff}, {speed_cutoff}, {beta}'
            )
        self.min_cutoff, self.beta, self.speed_cutoff = min_cutoff, beta, speed_cutoff
        self.delay: np.ndarray | None = None
        """Delay of slow movement in the last step, 1 / (2π cutoff), in seconds, [...]; None before the second array."""
        self._seconds = 0.0
        self._point: np.ndarray | None = None
        self._velocity: np.ndarray | float = 0.0

    def __call__(self, values: np.ndarray, seconds: float, size: float = 1.0) -> np.ndarray:
        """Return the next array of finite ``values`` smoothed; the first one stays as it is.

        ``size`` is that of the hand, in the unit of the values. Raises ValueError if the time does not rise, the size
        is not above 0, or the shape has changed.
        """
        values = np.asarray(values, np.float64)
        if self._point is None:
            self._point, self._seconds = values, seconds
            return values.copy()
        step = seconds - self._seconds
        if not step > 0 or not size > 0 or values.shape != self._point.shape:
            raise ValueError(
                f'seconds, size, values: expected a time after {self._seconds} s, a size above 0 and the shape '
                f'{self._point.shape}, got {seconds} s, {size} and {values.shape}'
            )
        velocity = (values - self._point) / step
        self._velocity = self._velocity + _weight(self.speed_cutoff, step) * (velocity - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=-1) / size
        cutoff = self.min_cutoff + self.beta * speed
        self._point = self._point + _weight(cutoff, step)[..., None] * (values - self._point)
        self._seconds, self.delay = seconds, 1 / (2 * np.pi * cutoff)
        return self._point.copy()


class Trajectory(NamedTuple):
    """One hand over T frames: times in seconds [T], keypoints before and after smoothing [T, K, 2], its size."""

    seconds: np.ndarray
    raw: np.ndarray
    smoothed: np.ndarray
    size: float


def measure_lag(paths: Sequence[Trajectory]) -> float | None:
    """Return by how many seconds smoothed paths are later than the raw ones, to the millisecond.

    This is the delay of the raw paths with the smallest sum of squared distances to the smoothed ones. None if no hand
    moves, or none is followed for 10 frames beyond the longest lag that is tried (0.3 s).
    """
    moving = [path for path in paths if _moves(path)]
    if not moving:
        return None

    def misfit(lag: float) -> float:
        total = 0.0
        for path in moving:
            late = path.seconds - path.seconds[0] >= _MAX_LAG
            delayed = interp1d(path.seconds, path.raw, axis=0)(path.seconds[late] - lag)
            total += float((((path.smoothed[late] - delayed) / path.size) ** 2).sum())
        return total

    coarse = min(np.arange(0, _MAX_LAG + 1e-9, 0.01), key=misfit)
    near = np.clip(coarse + np.arange(-0.01, 0.0101, 0.001), 0, _MAX_LAG)
    return round(float(min(near, key=misfit)), 3)


def _moves(path: Trajectory) -> bool:
    late = path.seconds - path.seconds[:1] >= _MAX_LAG
    return late.sum() >= _MIN_FRAMES and float(path.raw.std(0).max()) > _MIN_SPREAD * path.size


def _weight(cutoff: np.ndarray | float, step: float) -> np.ndarray:
    """Return the weight of the new value in exponential smoothing with this cutoff (α in the paper)."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff * step)))
