"""Clips of a hand that taps thumb and index finger together at a known rate, for measuring finger tapping.

A tap is one closure: the finger pads touch at the tap's time. Between taps the hand opens and closes as a raised
cosine; before the first tap and after the last it is open. Seconds, taps per second.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from handkp_plugins.structures.skeleton import INDEX_TIP, THUMB_TIP

from ..hand.pose import ANGLE_NAMES, HandPose
from ..hand.shape import HandShape
from ..poses.gestures import GESTURES
from ..poses.thumbs import close_pinch
from ..scenes.views import held_up
from .clip import TRIES, Clip, ClipMaker
from .hand_motion import TAPPING
from .motion import random_camera_path
from .signing import swaying_clip

_PINCHES = ('ok', 'pinch')  # named gestures that the other fingers resemble: straight, or folded
_JITTER = 4.0  # degrees, of the other fingers
# degrees between the pinch and the widest opening of a slow tap: the tips are about a palm's width apart
_OPENING = {'index_mcp': -45, 'index_pip': -40, 'index_dip': -18, 'thumb_flexion': -18, 'thumb_abduction': -4}
_SLOW = 3.0  # taps per second; the opening of faster taps is proportionally smaller, as fingers have a top speed
_ANGLES = np.radians([20, 60])  # of the rotation that turns the thumb's side to the camera: there the opening shows
_ROTATION = 10.0  # degrees, standard deviation about the two other axes
_EXTENT = (0.5, 0.72)  # size of the open hand, as a share of the image's shorter side
_SHORTEST, _LONGEST = 0.4, 1.8  # limits of intervals before they are scaled to their mean, as shares of it
_BORDER = 0.02  # the tips' distance from the image's border, as a share of its sides
_EDGE = 0.5  # least time before the first tap and after the last, in mean intervals


def tap_times(rate: float, jitter: float, duration: float, rng: np.random.Generator) -> np.ndarray:
    """Return the times of as many taps as fit into a duration, at exactly the mean rate.

    Intervals deviate from their mean by ``jitter``, a share of it.
    """
    count = int(np.floor(duration * rate + 1e-6))
    shares = np.clip(1 + jitter * rng.standard_normal(count - 1), _SHORTEST, _LONGEST)
    intervals = shares / shares.mean() / rate
    spare = duration - (count - 1 + 2 * _EDGE) / rate
    start = _EDGE / rate + rng.uniform(0, 1) * max(spare, 0.0)
    return start + np.concatenate([[0.0], np.cumsum(intervals)])


def openness(time: np.ndarray, taps: np.ndarray, decrement: float) -> np.ndarray:
    """Return how far (0…1) the hand is open at times (N,) from 0: 0 at each tap, with a height between taps that falls.

    ``decrement`` is the share of the height that is lost at the end.
    """
    half = 0.5 * np.median(np.diff(taps))
    after = np.searchsorted(taps, time, side='right')
    known = np.concatenate([[taps[0] - 2 * half], taps, [taps[-1] + 2 * half]])
    share = (time - known[after]) / (known[after + 1] - known[after])
    # open at rest before the first tap and after the last
    share = np.where(time < taps[0] - half, 0.5, np.where(time > taps[-1] + half, 0.5, share))
    return (1 - decrement * time / time[-1]) * 0.5 * (1 - np.cos(2 * np.pi * share))


class TapMaker(ClipMaker):
    """Makes clips of tapping; ``taps`` returns the times of the taps in the clip of an index.

    The hand shows a view between its palm and its thumb's side, fingers up, holds and wears nothing, and sways a little
    before a camera that may move. Both fingertips stay in the image.
    """

    def __init__(
        self, taps: Callable[[int], np.ndarray], rate: float, decrement: float, *args: Any, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.taps, self.rate, self.decrement = taps, rate, decrement

    def plan(self, seed: int, index: int) -> Clip:
        """Plan a clip; see :class:`ClipMaker`."""
        rng = np.random.default_rng([seed, index])
        scene = self.draw_scene(rng, alone=True)
        closed, opened = _closed_and_open(scene.main.shape, min(1.0, _SLOW / self.rate), rng)
        share = openness(self.time, self.taps(index), self.decrement)[:, None]
        angles = closed + share * (opened - closed)
        side = {'right': 1, 'left': -1}[scene.main.hand.handedness]
        axes = held_up(side * rng.uniform(*_ANGLES), *np.radians(rng.normal(0, _ROTATION, 2)))
        best, chosen = -1.0, None
        for _ in range(TRIES):
            path = random_camera_path(self.time, rng)
            clip = swaying_clip(scene, self.time, angles, TAPPING, axes, path, _EXTENT, rng)
            inside = _tips_inside(clip)
            if inside > best:
                best, chosen = inside, clip
            if inside == 1:
                break
        return chosen


def _closed_and_open(shape: HandShape, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return joint angles (24,) of the closed and the open hand, at a share of the widest opening."""
    base = GESTURES[str(rng.choice(_PINCHES))].angles
    others = np.array([name.split('_')[0] not in ('thumb', 'index', 'palm') for name in ANGLE_NAMES])
    loose = HandPose.clip(base + others * rng.normal(0, _JITTER, len(ANGLE_NAMES)))
    closed = close_pinch(loose, ['index'], shape).angles
    change = np.array([_OPENING.get(name, 0) for name in ANGLE_NAMES]) * share * rng.uniform(0.75, 1.0)
    return closed, HandPose.clip(closed + change).angles


def _tips_inside(clip: Clip) -> float:
    """Return the share of frames with both fingertips in the image, away from its border."""
    camera = clip.base_scene.camera
    pixels = camera.project(clip.keypoints[:, [THUMB_TIP, INDEX_TIP]]) / (camera.extent - 1)
    return float(((pixels > _BORDER) & (pixels < 1 - _BORDER)).all((1, 2)).mean())
