"""Finger tapping, measured: rate, number, size, speed and rhythm of taps of thumb and index finger.

After the application of P-MSDSNet (Li et al., 2021, section 5, figure 8): the distance of the two tips over time. Times
are in seconds, distances in sizes of the hand (``tip_distance``), a tap is one closure (``tap_detection``).

The terms are those of item 3.4 of the MDS-UPDRS (Goetz et al., 2008), which asks for speed, amplitude, hesitations and
halts, and for amplitude that decreases, and gives no numbers for them; those that are used here are stated where they
are computed. This is a measuring tool for research and no medical device: it was validated on no patients.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from .tap_detection import Gap, Piece, detect_taps, find_gaps
from .tip_distance import distance_noise, tip_distance

LEAST_TAPS_OF_TREND = 5
_LEAST_SAMPLES = 8
_LEAST_KNOWN = 0.8
_AROUND = 2  # intervals to either side that the rate over time is a mean of
_SAMPLES_OF_A_TAP = 4  # frames that a tap must have, or it cannot be told from slower ones


@dataclass(frozen=True)
class Settings:
    """What is counted as what.

    Args:
        longest_gap: seconds without the hand that are bridged. Taps next to longer ones may be lost, and intervals are
            not taken across them. It is less than a tap lasts at 6 taps a second, so that no whole tap is bridged.
        least_amplitude: opening, in sizes of the hand, below which nothing counts as a tap: about half a centimetre.
        closed: greatest distance of the tips, in sizes of the hand, at a tap. Keypoints lie inside the flesh: tips that
            touch are some 0.15 apart. Where they stay farther apart than this, it is counted apart.
        hesitation: an interval counts as one if it is longer than so many times the clip's median interval. Intervals
            of healthy people differ by some 5 to 10 % (standard deviation), so that 1.5 lies far outside; one tap left
            out gives 2.
    """

    longest_gap: float = 0.15
    least_amplitude: float = 0.05
    closed: float = 0.4
    hesitation: float = 1.5

    def __post_init__(self) -> None:
        for name, least in (('longest_gap', 0), ('least_amplitude', 0), ('closed', 0), ('hesitation', 1)):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > least):
                raise ValueError(f'{name}: expected a number above {least}, got {value}')


@dataclass(frozen=True)
class Tap:
    """One closure.

    Args:
        time: of the closure.
        interval: since the tap before; None for the first one and after a long gap.
        frequency: 1 / interval; ``smoothed_frequency`` is that of the five intervals about it.
        amplitude: the greatest distance before it, since the tap before, less that at the closure.
        distance: at the closure, which tells whether the tips touched: keypoints lie inside the flesh, so not 0.
        closing_speed, opening_speed: greatest one on the way to the closure and from it, hand sizes a second.
        hesitation: whether the interval counts as one.
    """

    time: float
    interval: float | None
    frequency: float | None
    smoothed_frequency: float | None
    amplitude: float
    distance: float
    closing_speed: float
    opening_speed: float
    hesitation: bool


@dataclass(frozen=True)
class Tapping:
    """What was measured. Figures are None where there is too little to measure, and ``reason`` says why.

    Args:
        frames, used_frames: how many there are, and in how many the hand is known.
        duration: from the first frame to the last; ``frame_rate`` is one over the median step.
        noise: standard deviation of the distance by the keypoints' jitter.
        range: from the 2nd to the 98th percentile of the distance.
        frequency: intervals a second of the time that the intervals take, gaps left out; taps a second.
        interval_cv: standard deviation of intervals over their mean: the rhythm.
        amplitude: mean of the taps'.
        decrement_per_tap, decrement: share of the first tap's amplitude that is lost from one tap to the next, and from
            the first to the last, on the line through the taps' amplitudes with the median slope (Theil-Sen);
            ``amplitude_fit`` is that line at each tap.
        closing_speed, opening_speed: means of the taps' greatest.
        time, distance: (N,) of each frame, distance NaN where it is unknown.
    """

    time: np.ndarray
    distance: np.ndarray
    size: np.ndarray
    settings: Settings
    frame_rate: float
    noise: float
    gaps: list[Gap]
    reason: str | None
    range: float | None = None
    pieces: list[Piece] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    frequency: float | None = None
    interval_mean: float | None = None
    interval_median: float | None = None
    interval_cv: float | None = None
    amplitude: float | None = None
    decrement_per_tap: float | None = None
    decrement: float | None = None
    amplitude_fit: np.ndarray | None = None
    closing_speed: float | None = None
    opening_speed: float | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def hesitations(self) -> list[Tap]:
        """The taps that came late."""
        return [tap for tap in self.taps if tap.hesitation]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the series, of numbers that JSON holds."""
        left_out = ('time', 'distance', 'size', 'pieces', 'amplitude_fit')
        document: dict[str, Any] = dict(
            frames=len(self.time),
            used_frames=int(np.isfinite(self.distance).sum()),
            duration=float(self.time[-1] - self.time[0]),
            count=len(self.taps),
            hesitations=len(self.hesitations),
        )
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}
        values |= {name: [asdict(v) for v in values[name]] for name in ('gaps', 'taps')}
        return document | values | {'settings': asdict(self.settings)}


def measure_tapping(time: np.ndarray, keypoints: np.ndarray, settings: Settings | None = None) -> Tapping:
    """Measure the tapping of one hand.

    Args:
        time: (N,) seconds of the frames, rising, at any steps.
        keypoints: (N, 21, 2) in pixels, or (N, 21, 3) in metres; NaN where they are unknown.

    Raises:
        ValueError: the shapes differ from that, or times do not rise.
    """
    settings = settings or Settings()
    time, keypoints = np.asarray(time, float), np.asarray(keypoints, float)
    if time.ndim != 1 or len(time) < 2 or keypoints.shape[:2] != (len(time), 21) or keypoints.ndim != 3:
        raise ValueError(
            f'time, keypoints: expected shapes (N,) and (N, 21, D), N from 2 on, got {time.shape}, {keypoints.shape}'
        )
    if not (np.diff(time) > 0).all():
        i = int(np.flatnonzero(~(np.diff(time) > 0))[0])
        raise ValueError(f'time: expected rising seconds, got {time[i]:g}, then {time[i + 1]:g} (frame {i + 1})')
    distance, size = tip_distance(time, keypoints)
    known = np.isfinite(distance)
    noise = distance_noise(time, keypoints, np.where(known, size, np.nan))
    period = float(np.median(np.diff(time)))
    t, d = time[known], distance[known]
    given = dict(
        time=time, distance=distance, size=size, settings=settings, frame_rate=1 / period, noise=noise,
        gaps=find_gaps(time, known, period, settings.longest_gap),
    )  # fmt: skip
    if len(t) < _LEAST_SAMPLES:
        return Tapping(**given, reason=f'the hand is known in {len(t)} of {len(time)} frames: too few')
    given['range'] = float(np.subtract(*np.percentile(d, [98, 2])))
    if given['range'] < settings.least_amplitude:
        return Tapping(**given, reason=_too_little(given['range'], settings))
    pieces, times, near = detect_taps(t, d, given['gaps'], period, noise, settings.least_amplitude, settings.closed)
    warnings = [f'{near} times the tips came nearer, but not to {settings.closed:g} hand sizes: not counted'] * (
        near > 0
    )
    taps = _describe(pieces, times, settings)
    given.update(pieces=pieces, taps=taps, warnings=warnings)
    if not taps:
        return Tapping(**given, reason=_too_little(given['range'], settings, noise))
    summary = _summary(taps, 1 / period, known.mean())
    return Tapping(**given | summary | {'warnings': warnings + summary['warnings']})


def _too_little(moved: float, settings: Settings, noise: float | None = None) -> str:
    least = settings.least_amplitude
    text = f"not enough movement: the tips' distance changes by {moved:.2f} hand sizes"
    if noise is None:
        return f'{text}; expected {least:g} or more'
    return f'{text}, without a closure that stands out from noise of {noise:.3f} and is {least:g} or more deep'


def _describe(pieces: Sequence[Piece], times: Sequence[np.ndarray], settings: Settings) -> list[Tap]:
    """The taps at given times within each piece."""
    steps = [np.diff(own) for own in times]
    every = np.concatenate(steps)
    late = settings.hesitation * np.median(every) if len(every) else np.inf
    taps = []
    for piece, own, intervals in zip(pieces, times, steps, strict=True):
        ends = [piece.time[0], *own, piece.time[-1]]
        for i, time in enumerate(own):
            before = np.flatnonzero((piece.time >= ends[i]) & (piece.time <= time))
            after = np.flatnonzero((piece.time >= time) & (piece.time <= ends[i + 2]))
            top, next_top = (part[np.argmax(piece.distance[part])] for part in (before, after))
            closure = piece.at(time)
            interval = float(intervals[i - 1]) if i else None
            around = intervals[max(0, i - 1 - _AROUND) : i + _AROUND]
            taps.append(
                Tap(
                    time=float(time),
                    interval=interval,
                    frequency=1 / interval if interval else None,
                    smoothed_frequency=float(1 / around.mean()) if interval else None,
                    amplitude=float(piece.distance[top] - closure),
                    distance=closure,
                    closing_speed=float(-piece.speed[top : before[-1] + 1].min()),
                    opening_speed=float(piece.speed[after[0] : next_top + 1].max()),
                    hesitation=bool(interval and interval > late),
                )
            )
    return taps


def _summary(taps: list[Tap], frame_rate: float, share_known: float) -> dict[str, Any]:
    """Figures over all taps: arguments of :class:`Tapping`."""
    intervals = np.array([tap.interval for tap in taps if tap.interval])
    amplitudes = np.array([tap.amplitude for tap in taps])
    out: dict[str, Any] = dict(
        reason=None,
        amplitude=float(amplitudes.mean()),
        closing_speed=float(np.mean([tap.closing_speed for tap in taps])),
        opening_speed=float(np.mean([tap.opening_speed for tap in taps])),
        warnings=[],
    )
    if not len(intervals):
        taken = 'one tap' if len(taps) == 1 else f'{len(taps)} taps, each beside a long gap'
        return out | {'reason': f'{taken}: a frequency needs two taps on end'}
    out.update(
        frequency=float(1 / intervals.mean()),
        interval_mean=float(intervals.mean()),
        interval_median=float(np.median(intervals)),
    )
    if len(intervals) > 1:
        out['interval_cv'] = float(intervals.std(ddof=1) / intervals.mean())
    if len(taps) >= LEAST_TAPS_OF_TREND:
        slope, start, *_ = theilslopes(amplitudes)
        out['decrement_per_tap'] = float(-slope / start)
        out['decrement'] = float(-slope * (len(taps) - 1) / start)
        out['amplitude_fit'] = start + slope * np.arange(len(taps))
    if out['frequency'] * _SAMPLES_OF_A_TAP > frame_rate:
        out['warnings'].append(
            f'{out["frequency"]:.2f} taps/s at {frame_rate:.1f} frames/s: less than {_SAMPLES_OF_A_TAP} frames a tap, '
            'of which faster taps cannot be told from slower ones'
        )
    if share_known < _LEAST_KNOWN:
        out['warnings'].append(f'the hand is known in {share_known:.0%} of the frames only')
    return out
