"""Smoothing of keypoints as they come, and how late that makes them.

The One-Euro filter: G. Casiez, N. Roussel, D. Vogel: 1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems, CHI 2012, algorithm 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.interpolate import interp1d

_LONGEST_LAG = 0.3  # s: beyond, a repeated movement may fit its neighbour
_FEWEST_FRAMES = 10
_STILL = 0.01  # hand sizes: a hand whose keypoints spread less over time has no movement that could be late

MIN_CUTOFF, BETA = 1.5, 4.0
"""Hz, and Hz for each hand size per second."""


class OneEuroFilter:
    """A low-pass filter whose cutoff rises with speed: a still hand does not tremble, a fast one is hardly late.

    It takes one array after another, all of one shape [..., D]: places of D coordinates, each with a speed of its own.
    Times need not be evenly spaced. Speeds count in hand sizes per second, so that neither the picture's resolution nor
    the hand's distance matters.

    Args:
        min_cutoff: Hz, of what stands still. Lower: less trembling, and later.
        beta: Hz for each hand size per second. Higher: less late in fast movement, and more trembling in it.
        speed_cutoff: Hz, of the filter of the speed itself.

    Raises:
        ValueError: a cutoff is not above 0, or beta is negative.
    """

    def __init__(self, min_cutoff: float = MIN_CUTOFF, beta: float = BETA, speed_cutoff: float = 1.0) -> None:
        if not (min_cutoff > 0 and speed_cutoff > 0 and beta >= 0):
            raise ValueError(
                'min_cutoff, speed_cutoff: expected numbers above 0, and beta from 0 on; got '
                f'{min_cutoff}, {speed_cutoff} and {beta}'
            )
        self.min_cutoff, self.beta, self.speed_cutoff = min_cutoff, beta, speed_cutoff
        self.delay: np.ndarray | None = None
        """Of the last step, in seconds, [...]: 1 / (2π cutoff), by which slow movements come late; None before it."""
        self._seconds = 0.0
        self._place: np.ndarray | None = None
        self._velocity: np.ndarray | float = 0.0

    def __call__(self, values: np.ndarray, seconds: float, size: float = 1.0) -> np.ndarray:
        """The next array, smoothed; the first is returned as it is.

        Args:
            values: [..., D], finite.
            seconds: when it was taken.
            size: of the hand, in the unit of the values.

        Raises:
            ValueError: the time does not rise, the size is not above 0, or the shape is another than before.
        """
        values = np.asarray(values, np.float64)
        if self._place is None:
            self._place, self._seconds = values, seconds
            return values.copy()
        step = seconds - self._seconds
        if not step > 0 or not size > 0 or values.shape != self._place.shape:
            raise ValueError(
                f'expected a time after {self._seconds} s, a size above 0 and the shape {self._place.shape}, '
                f'got {seconds} s, {size} and {values.shape}'
            )
        velocity = (values - self._place) / step
        self._velocity = self._velocity + _share(self.speed_cutoff, step) * (velocity - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=-1) / size
        cutoff = self.min_cutoff + self.beta * speed
        self._place = self._place + _share(cutoff, step)[..., None] * (values - self._place)
        self._seconds, self.delay = seconds, 1 / (2 * np.pi * cutoff)
        return self._place.copy()


class Trajectory(NamedTuple):
    """One hand over T frames: times in seconds [T], places before and after smoothing [T, K, 2], the hand's size."""

    seconds: np.ndarray
    raw: np.ndarray
    smoothed: np.ndarray
    size: float


def measured_lag(paths: Sequence[Trajectory]) -> float | None:
    """By how many seconds smoothed paths are later than the raw ones: the delay of the raw paths that comes nearest to
    the smoothed ones, by the sum of squares over all hands and keypoints, to the millisecond.

    None where no hand was followed for 10 frames and the longest lag that is tried (0.3 s) besides, or none moves.
    """
    moving = [p for p in paths if _moves(p)]
    if not moving:
        return None

    def misfit(lag: float) -> float:
        total = 0.0
        for path in moving:
            late = path.seconds - path.seconds[0] >= _LONGEST_LAG
            delayed = interp1d(path.seconds, path.raw, axis=0)(path.seconds[late] - lag)
            total += float((((path.smoothed[late] - delayed) / path.size) ** 2).sum())
        return total

    coarse = min(np.arange(0, _LONGEST_LAG + 1e-9, 0.01), key=misfit)
    near = np.clip(coarse + np.arange(-0.01, 0.0101, 0.001), 0, _LONGEST_LAG)
    return round(float(min(near, key=misfit)), 3)


def _moves(path: Trajectory) -> bool:
    if len(path.seconds) == 0:
        return False
    late = path.seconds - path.seconds[0] >= _LONGEST_LAG
    return late.sum() >= _FEWEST_FRAMES and float(path.raw.std(0).max()) > _STILL * path.size


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray:
    """The weight of the new value in exponential smoothing with this cutoff (α in the paper)."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff * step)))
