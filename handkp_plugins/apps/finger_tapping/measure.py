"""Finger tapping, measured: rate, number, size, speed and rhythm of the taps of thumb and index finger.

After the application of P-MSDSNet (Li et al., 2021, section 5, figure 8): the distance of the two tips over time. Times
are in seconds, distances in hand sizes (``tip_distance``); a tap is a closure (``tap_detection``).

The terms are those of item 3.4 of the MDS-UPDRS (Goetz et al., 2008), which names speed, amplitude, hesitations, halts
and decreasing amplitude but gives no numbers; the numbers here are explained where they are used. This is a measuring
tool for research and no medical device: it was not validated on patients.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from .tap_detection import Gap, Piece, detect_taps, find_gaps
from .tip_distance import distance_noise, tip_distance

_MIN_TREND_TAPS = 5
_MIN_FRAMES = 8
_MIN_KNOWN = 0.8  # share of the frames, else a warning
_NEIGHBOURS = 2  # intervals on either side in the mean of the rate over time
_FRAMES_PER_TAP = 4  # with fewer, a tapping rate may be mistaken for a slower one


@dataclass(frozen=True)
class Settings:
    """Limits of the measurement.

    Args:
        longest_gap: Seconds without the hand that are bridged: less than a tap at 6 taps per second. Taps beside longer
            gaps may be lost, and there are no intervals across them.
        least_amplitude: Hand sizes that a tap must open: about half a centimetre.
        closed: Largest distance of the tips at a tap, in hand sizes. Keypoints lie inside the fingers: those of tips
            that touch are about 0.15 apart. Closures that stay farther apart are counted separately.
        hesitation: An interval is a hesitation if it exceeds the median interval so many times. Intervals of healthy
            people vary by 5 to 10 % (standard deviation); a missing tap gives 2.
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
    """One closure. The keypoints of tips that touch are not at distance 0, because they lie inside the fingers."""

    time: float
    interval: float | None  # since the previous tap; None for the first tap and after a long gap
    frequency: float | None  # 1 / interval
    smoothed_frequency: float | None  # of the five intervals around it
    amplitude: float  # largest distance since the previous tap, minus that at the closure
    distance: float  # at the closure
    closing_speed: float  # the largest before the closure, in hand sizes per second
    opening_speed: float  # likewise, after the closure
    hesitation: bool  # whether the interval is a hesitation


@dataclass(frozen=True)
class Tapping:
    """The measurement of N frames. Figures are None if there is too little to measure; ``reason`` says why.

    ``decrement_per_tap`` and ``decrement`` are the loss of amplitude from tap to tap and from the first to the last, as
    a share of the first, on the line with the median slope (Theil-Sen); ``amplitude_fit`` is that line at each tap.
    """

    time: np.ndarray  # (N,)
    distance: np.ndarray  # (N,) NaN if unknown
    size: np.ndarray  # (N,) of the hand, likewise
    settings: Settings
    frame_rate: float  # 1 / median step of the times
    noise: float  # standard deviation of the distance that the keypoints' jitter causes
    gaps: list[Gap]
    reason: str | None
    range: float | None = None  # from the 2nd to the 98th percentile of the distance
    pieces: list[Piece] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    frequency: float | None = None  # taps per second: number of intervals over their total time, without gaps
    interval_mean: float | None = None
    interval_median: float | None = None
    interval_cv: float | None = None  # standard deviation of the intervals over their mean: the rhythm
    amplitude: float | None = None  # mean over the taps, as both speeds
    decrement_per_tap: float | None = None
    decrement: float | None = None
    amplitude_fit: np.ndarray | None = None
    closing_speed: float | None = None
    opening_speed: float | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def hesitations(self) -> list[Tap]:
        """The taps after a hesitation."""
        return [tap for tap in self.taps if tap.hesitation]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the series, with types that JSON has."""
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
    """Measure the tapping of one hand; raises ValueError for wrong shapes, or times that do not rise.

    Args:
        time: (N,) seconds of the frames, rising, with any steps.
        keypoints: (N, 21, 2) in pixels, or (N, 21, 3) in metres; NaN if they are unknown.
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
    result: dict[str, Any] = dict(
        time=time, distance=distance, size=size, settings=settings, frame_rate=1 / period, noise=noise,
        gaps=find_gaps(time, known, period, settings.longest_gap),
    )  # fmt: skip
    if len(t) < _MIN_FRAMES:
        return Tapping(**result, reason=f'the hand is known in {len(t)} of {len(time)} frames: too few')
    result['range'] = float(np.subtract(*np.percentile(d, [98, 2])))
    if result['range'] < settings.least_amplitude:
        return Tapping(**result, reason=_no_movement(result['range'], settings))
    pieces, times, near = detect_taps(t, d, result['gaps'], period, noise, settings.least_amplitude, settings.closed)
    approached = f'{near} times the tips approached, but not to {settings.closed:g} hand sizes: not counted'
    warnings = [approached] if near else []
    taps = _describe(pieces, times, settings)
    result.update(pieces=pieces, taps=taps, warnings=warnings)
    if not taps:
        return Tapping(**result, reason=_no_movement(result['range'], settings, noise))
    summary = _summary(taps, 1 / period, known.mean())
    return Tapping(**result | summary | {'warnings': warnings + summary['warnings']})


def _no_movement(change: float, settings: Settings, noise: float | None = None) -> str:
    least = settings.least_amplitude
    text = f"not enough movement: the tips' distance changes by {change:.2f} hand sizes"
    if noise is None:
        return f'{text}; expected {least:g} or more'
    return f'{text}, without a closure of {least:g} or more that stands out from noise of {noise:.3f}'


def _describe(pieces: Sequence[Piece], times: Sequence[np.ndarray], settings: Settings) -> list[Tap]:
    """Return the taps at these times of each piece."""
    intervals_of = [np.diff(closures) for closures in times]
    all_intervals = np.concatenate(intervals_of)
    late = settings.hesitation * np.median(all_intervals) if len(all_intervals) else np.inf
    taps = []
    for piece, closures, intervals in zip(pieces, times, intervals_of, strict=True):
        ends = [piece.time[0], *closures, piece.time[-1]]
        for i, time in enumerate(closures):
            before = np.flatnonzero((piece.time >= ends[i]) & (piece.time <= time))
            after = np.flatnonzero((piece.time >= time) & (piece.time <= ends[i + 2]))
            top, next_top = (part[np.argmax(piece.distance[part])] for part in (before, after))
            closure = piece.at(time)
            interval = float(intervals[i - 1]) if i else None
            around = intervals[max(0, i - 1 - _NEIGHBOURS) : i + _NEIGHBOURS]
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
    """Return the figures over all taps, as arguments of :class:`Tapping`."""
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
        found = 'one tap' if len(taps) == 1 else f'{len(taps)} taps, each beside a long gap'
        return out | {'reason': f'{found}: a frequency needs two taps in a row'}
    mean, median = float(intervals.mean()), float(np.median(intervals))
    out.update(frequency=1 / mean, interval_mean=mean, interval_median=median)
    if len(intervals) > 1:
        out['interval_cv'] = float(intervals.std(ddof=1) / intervals.mean())
    if len(taps) >= _MIN_TREND_TAPS:
        slope, start, *_ = theilslopes(amplitudes)
        out['decrement_per_tap'] = float(-slope / start)
        out['decrement'] = float(-slope * (len(taps) - 1) / start)
        out['amplitude_fit'] = start + slope * np.arange(len(taps))
    if out['frequency'] * _FRAMES_PER_TAP > frame_rate:
        out['warnings'].append(
            f'{out["frequency"]:.2f} taps/s at {frame_rate:.1f} frames/s: with fewer than {_FRAMES_PER_TAP} frames '
            'a tap, the true rate may be higher'
        )
    if share_known < _MIN_KNOWN:
        out['warnings'].append(f'the hand is known in only {share_known:.0%} of the frames')
    return out
