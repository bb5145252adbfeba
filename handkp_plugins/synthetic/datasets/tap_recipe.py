"""The recipe of clips of finger tapping."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..clips.tapping import TapMaker, tap_times
from .recipe import ClipRecipe, check_range


@dataclass(frozen=True)
class TapRecipe(ClipRecipe):
    """A dataset of clips in which thumb and index finger tap."""

    num: int = 10
    size: int = 256
    height: int = 256
    frames: int = 301  # of each clip, enough for two taps
    tapping: float = 3.0  # taps per second, 0.2 to a quarter of ``fps``
    amplitude_decrement: float = 0.0  # share of the opening that is lost at the end of a clip, 0 to 0.95
    interval_jitter: float = 0.0  # deviation of the intervals between taps, as a share of their mean, 0 to 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range('tapping', self.tapping, 0.2, self.fps / 4, ' taps per second, a quarter of the frame rate')
        if self.seconds * self.tapping < 2:
            fewest = int(np.ceil(2 / self.tapping * self.fps)) + 1
            raise ValueError(f'frames: expected {fewest} or more, for two taps, got {self.frames}')
        check_range('amplitude_decrement', self.amplitude_decrement, 0, 0.95)
        check_range('interval_jitter', self.interval_jitter, 0, 0.3)

    @property
    def seconds(self) -> float:
        """Time from a clip's first frame to its last."""
        return (self.frames - 1) / self.fps

    def taps(self, clip: int) -> np.ndarray:
        """Return the times of the taps in a clip."""
        rng = np.random.default_rng([self.seed, clip, 3])
        return tap_times(self.tapping, self.interval_jitter, self.seconds, rng)

    def build_maker(self, **settings: Any) -> TapMaker:
        return TapMaker(self.taps, self.tapping, self.amplitude_decrement, self.frames, self.fps, **settings)

    def extra_sections(self, split: str) -> dict[str, Any]:
        truth = dict(frequency=self.tapping, amplitude_decrement=self.amplitude_decrement)
        clips = self.unit_splits[split]
        return {'videos': [dict(id=clip, **truth, tap_times=self.taps(clip).round(5).tolist()) for clip in clips]}
