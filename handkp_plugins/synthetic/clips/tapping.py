"""Clips of a hand that taps thumb and index finger together at a known rate, for measuring finger tapping.

A tap is one closure: the pads touch at the tap's time. Between taps the hand opens and closes as a raised cosine, and
it is open before the first and after the last. Seconds, taps a second.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from handkp_plugins.structures.skeleton import INDEX_TIP, THUMB_TIP

from ..hand.pose import ANGLE_NAMES, HandPose
from ..hand.shape import HandShape
from ..poses.gestures import GESTURES
from ..poses.pinching import close_pinch
from ..scenes.scene import random_scene
from ..scenes.views import held_up
from .clip import TRIES, Clip, ClipMaker
from .hand_motion import TAPPING
from .motion import random_camera_path
from .signing import swaying_clip

_PINCHES = ('ok', 'pinch')
"""Named gestures about which the other fingers lie: straight, or folded."""
_LOOSE = 4.0  # degrees by which the other fingers differ from these
_OPENING = {'index_mcp': -45, 'index_pip': -40, 'index_dip': -18, 'thumb_flexion': -18, 'thumb_abduction': -4}
"""Degrees by which the greatest opening of a slow tap differs from the pinch: the tips are about a palm apart."""
_SLOW = 3.0  # taps a second; faster ones open in proportion less, for nobody's finger is as fast as that would be
_ANGLES = np.radians([20, 60])
"""Least and greatest turn from the palm towards the camera to the thumb's side, where the opening shows best."""
_TURN = 10.0  # degrees of deviation in the two other directions
_EXTENT = (0.5, 0.72)  # of the open hand in the picture's shorter side
_SHORTEST, _LONGEST = 0.4, 1.8  # of intervals before they are brought to their mean, as shares of it
_BORDER = 0.02  # share of the picture's sides that the tips keep away from
_EDGE = 0.5  # of the mean interval: the least time before the first tap and after the last


def tap_times(rate: float, jitter: float, duration: float, rng: np.random.Generator) -> np.ndarray:
    """Times of as many taps as fit into a clip, with exactly the given mean rate from the first to the last.

    Args:
        rate: taps a second.
        jitter: deviation of intervals, as a share of their mean.
        duration: of the clip.
    """
    count = int(np.floor(duration * rate + 1e-6))
    shares = np.clip(1 + jitter * rng.standard_normal(count - 1), _SHORTEST, _LONGEST)
    intervals = shares / shares.mean() / rate
    spare = duration - (count - 1 + 2 * _EDGE) / rate
    start = _EDGE / rate + rng.uniform(0, 1) * max(spare, 0.0)
    return start + np.concatenate([[0.0], np.cumsum(intervals)])


def openness(time: np.ndarray, taps: np.ndarray, decrement: float) -> np.ndarray:
    """How far (0…1) the hand is open at times (N,): 0 at each tap, between taps up to a height that falls steadily.

    Args:
        time: from 0; the last is the clip's end.
        taps: times of taps, rising.
        decrement: share of the height that is lost at the end.
    """
    half = 0.5 * np.median(np.diff(taps))
    after = np.searchsorted(taps, time, side='right')
    known = np.concatenate([[taps[0] - 2 * half], taps, [taps[-1] + 2 * half]])
    share = (time - known[after]) / (known[after + 1] - known[after])
    # open at rest before the first tap and after the last
    share = np.where(time < taps[0] - half, 0.5, np.where(time > taps[-1] + half, 0.5, share))
    return (1 - decrement * time / time[-1]) * 0.5 * (1 - np.cos(2 * np.pi * share))


class TapMaker(ClipMaker):
    """Makes clips of tapping.

    The hand shows something between its palm and its thumb's side, fingers up, holds and wears nothing, and sways a
    little before a camera that may move. Both tips stay in the picture.

    Args:
        taps: from a clip's index to the times of its taps.
        rate: taps a second.
        decrement: share of the opening that is lost at the clip's end.
        settings: of :class:`ClipMaker`.
    """

    def __init__(
        self, taps: Callable[[int], np.ndarray], rate: float, decrement: float, *args: Any, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.taps, self.rate, self.decrement = taps, rate, decrement

    def plan(self, seed: int, index: int) -> Clip:
        """Who taps, and how, in a clip."""
        rng = np.random.default_rng([seed, index])
        scene = random_scene(self.models, self.size, rng, self.poses, **dict(self.scene_options, alone=True))
        scene = replace(scene, camera=replace(scene.camera, height=self.height))
        closed, opened = _ends(scene.main.shape, min(1.0, _SLOW / self.rate), rng)
        share = openness(self.time, self.taps(index), self.decrement)[:, None]
        angles = closed + share * (opened - closed)
        side = {'right': 1, 'left': -1}[scene.main.hand.handedness]
        about = side * rng.uniform(*_ANGLES)
        axes = held_up(about, *np.radians(rng.normal(0, _TURN, 2)))
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


def _ends(shape: HandShape, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Angles (24,) of the closed and the open hand; ``share`` of the greatest opening."""
    base = GESTURES[str(rng.choice(_PINCHES))].angles
    others = np.array([name.split('_')[0] not in ('thumb', 'index', 'palm') for name in ANGLE_NAMES])
    loose = HandPose.clip(base + others * rng.normal(0, _LOOSE, len(ANGLE_NAMES)))
    closed = close_pinch(loose, ['index'], shape).angles
    change = np.array([_OPENING.get(name, 0) for name in ANGLE_NAMES]) * share * rng.uniform(0.75, 1.0)
    return closed, HandPose.clip(closed + change).angles


def _tips_inside(clip: Clip) -> float:
    """Share of frames in which the two tips are in the picture, off its border."""
    points = clip.keypoints[:, [THUMB_TIP, INDEX_TIP]]
    camera = clip.cast.camera
    pixels = camera.project(points.reshape(-1, 3)) / (camera.extent - 1)
    return float(((pixels > _BORDER) & (pixels < 1 - _BORDER)).all(1).reshape(-1, 2).all(1).mean())
