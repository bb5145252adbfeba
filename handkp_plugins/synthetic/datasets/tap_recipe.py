"""What decides the contents of a generated set of clips of finger tapping."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..clips.tapping import TapMaker, tap_times
from .coco import split_of
from .recipe import ClipRecipe


@dataclass(frozen=True)
class TapRecipe(ClipRecipe):
    """What decides the contents of a set of clips of thumb and index finger that tap.

    Args:
        num: clips, at least 3, so that each split has one.
        size, height: in pixels.
        frames: of each clip, enough for two taps.
        tapping: taps a second, 0.2 to a quarter of ``fps``.
        amplitude_decrement: share of the opening that is lost at the end of a clip, 0 to 0.95.
        interval_jitter: deviation of the intervals between taps, as a share of their mean, 0 to 0.3.
    """

    num: int = 10
    size: int = 256
    height: int = 256
    frames: int = 301
    tapping: float = 3.0
    amplitude_decrement: float = 0.0
    interval_jitter: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.2 <= self.tapping <= self.fps / 4:
            raise ValueError(
                f'tapping: expected 0.2 to {self.fps / 4:g} taps a second, a quarter of the frame rate, '
                f'got {self.tapping}'
            )
        if self.seconds * self.tapping < 2:
            raise ValueError(
                f'frames: expected {int(np.ceil(2 / self.tapping * self.fps)) + 1} or more, for two taps, '
                f'got {self.frames}'
            )
        if not 0 <= self.amplitude_decrement <= 0.95:
            raise ValueError(f'amplitude_decrement: expected 0 to 0.95, got {self.amplitude_decrement}')
        if not 0 <= self.interval_jitter <= 0.3:
            raise ValueError(f'interval_jitter: expected 0 to 0.3, got {self.interval_jitter}')

    @property
    def seconds(self) -> float:
        """From a clip's first frame to its last."""
        return (self.frames - 1) / self.fps

    def taps(self, clip: int) -> np.ndarray:
        """When the hand taps in a clip; it depends on the seed and the clip's index alone."""
        rng = np.random.default_rng([self.seed, clip, 3])
        return tap_times(self.tapping, self.interval_jitter, self.seconds, rng)

    def maker(self, **settings: Any) -> TapMaker:
        """What draws the clips; keep one per process."""
        return TapMaker(self.taps, self.tapping, self.amplitude_decrement, self.frames, self.fps, **settings)

    def more_of_split(self, split: str) -> dict[str, Any]:
        """Of each clip, when it is tapped and how often."""
        clips = split_of(self.num, self.seed)[split]
        truth = dict(frequency=self.tapping, amplitude_decrement=self.amplitude_decrement)
        return {'videos': [dict(id=clip, **truth, tap_times=self.taps(clip).round(5).tolist()) for clip in clips]}
