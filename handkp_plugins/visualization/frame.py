"""What was found in one picture, drawn on it, and how fast."""

import time
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from .hand import draw_hand, draw_label

_SMOOTHED = 0.9  # weight of the past in the mean of the times between frames


class DrawnHand(Protocol):
    """What :func:`draw_hands` needs of a hand: see :class:`~handkp_plugins.apps.demo.hand_reader.FoundHand`."""

    box: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray

    def label(self) -> str: ...


def draw_hands(image: np.ndarray, hands: Sequence[DrawnHand], score_thr: float = 0.3) -> np.ndarray:
    """Draw the skeletons, boxes and labels of all hands of a picture; see :func:`~.hand.draw_hand`.

    Returns:
        A new BGR image of the same shape.
    """
    picture = image.copy()
    for hand in hands:
        picture = draw_hand(picture, hand.keypoints, hand.scores, score_thr, hand.box)
    for hand in hands:  # above all skeletons
        if hand.label():
            picture = draw_label(picture, hand.label(), hand.box)
    return picture


def draw_rate(image: np.ndarray, rate: float) -> None:
    """Write a number of frames per second into the upper left corner, white on a dark rim, in place."""
    size = max(0.4, image.shape[0] / 900)
    place = (round(12 * size), round(34 * size))
    for ink, width in ((40, 4), (255, 1)):
        cv2.putText(
            image, f'{rate:.1f} fps', place, cv2.FONT_HERSHEY_SIMPLEX, size, (ink, ink, ink), width, cv2.LINE_AA
        )


class FrameRate:
    """Frames per second, steadied: each call of :meth:`tick` is a frame."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval: float | None = None

    def tick(self) -> float | None:
        """The rate with this frame; None at the first."""
        now, last = time.perf_counter(), self._last
        self._last = now
        if last is None:
            return None
        taken = now - last
        self._interval = taken if self._interval is None else _SMOOTHED * self._interval + (1 - _SMOOTHED) * taken
        return 1 / max(self._interval, 1e-6)
