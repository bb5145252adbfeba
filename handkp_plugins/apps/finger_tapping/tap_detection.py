"""The times at which thumb and index finger touch, from the distance of their tips over time.

Times are in seconds, distances in hand sizes, rates in taps per second.

1. The series is cut at long gaps. Each piece is resampled at even times by a cubic spline; a gap of more than two
   missing frames is bridged by PCHIP, which adds no extrema.
2. A low-pass filter without delay removes jitter. Its cutoff is a multiple of the tapping rate, which comes from a
   Lomb-Scargle periodogram because times may be uneven. A cutoff near half the frame rate means no filter.
3. Taps are minima that are deep enough (in absolute terms, relative to the noise, and relative to the movement nearby)
   and at which the tips are close. At least one of all taps must clearly stand out from the noise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import butter, detrend, find_peaks, lombscargle, peak_prominences, sosfiltfilt

FREQUENCIES = (0.2, 12.0)
"""The lowest and highest tapping rate."""
_MAX_SPLINE_GAP = 3.5  # frame times: two missing frames at most
_OVERSAMPLING = 4  # spline samples per frame
_CUTOFF = 3.0  # times the tapping rate
_MIN_CUTOFF = 4.0  # Hz: a slow tap may be a quick movement and a pause
_MAX_CUTOFF = 0.8  # of half the frame rate; beyond, the series is not filtered
_CERTAIN, _LIKELY = 8.0, 3.0  # times the noise: prominence of at least one tap, and of each
_MIN_SHARE = 0.25  # prominence of a tap over the movement nearby
_LEVEL_NOISE, _LEVEL = 2.0, (0.05, 0.5)  # level above a minimum: times the noise; limits as shares of the prominence
_MIN_DISTANCE = 0.4  # periods between taps
_NEARBY = 1.5  # periods on either side


@dataclass(frozen=True)
class Piece:
    """A part of the series without a long gap, resampled at even times and smoothed: time, distance, speed (M,)."""

    time: np.ndarray
    distance: np.ndarray
    speed: np.ndarray

    def at(self, time: float) -> float:
        """Return the distance at a time between two samples."""
        return float(np.interp(time, self.time, self.distance))


@dataclass(frozen=True)
class Gap:
    """One or more missing frames between the known frames at ``start`` and ``end``."""

    start: float
    end: float
    bridged: bool


def find_gaps(time: np.ndarray, known: np.ndarray, period: float, longest: float) -> list[Gap]:
    """Return the gaps between the frames at times (N,) that are ``known`` (N,), where ``period`` is that of the frames.

    Gaps of up to ``longest`` are bridged, unless they are at an end. A single missing frame always is.
    """
    first, last = (time[known][[0, -1]] if known.any() else time[[-1, -1]]).tolist()
    edges = np.unique(np.concatenate([time[:1], time[known], time[-1:]]))
    steps = np.diff(edges)
    longest = max(longest, 1.5 * period) * (1 + 1e-6)
    return [
        Gap(a, b, bool(step <= longest and a >= first and b <= last))
        for a, b, step in zip(edges[:-1].tolist(), edges[1:].tolist(), steps, strict=True)
        if step > 1.5 * period
    ]


def strongest_frequency(time: np.ndarray, distance: np.ndarray, period: float) -> float:
    """Return the rate with the most power in the speed, which reduces the weight of slow drifts."""
    duration = time[-1] - time[0]
    low, high = max(FREQUENCIES[0], 1 / duration), min(FREQUENCIES[1], 0.48 / period)
    if high <= low:
        return low
    frequency = np.arange(low, high, 0.2 / duration)
    power = lombscargle(time, detrend(distance), 2 * np.pi * frequency)
    return float(frequency[np.argmax(power * frequency)])


def smooth_pieces(time: np.ndarray, distance: np.ndarray, gaps: list[Gap], period: float, cutoff: float) -> list[Piece]:
    """Return the smoothed pieces between long gaps, without pieces of fewer than four samples; ``cutoff`` is in Hz."""
    ends = [i for i, t in enumerate(time) if any(gap.start == t and not gap.bridged for gap in gaps)]
    pieces = []
    for part in np.split(np.arange(len(time)), np.array(ends, int) + 1):
        if len(part) < 4:
            continue
        t, d = time[part], distance[part]
        step = period / _OVERSAMPLING
        even = t[0] + step * np.arange(int((t[-1] - t[0]) / step + 1e-6) + 1)
        bridged = np.zeros(len(even), bool)
        for gap in gaps:
            if gap.end - gap.start >= _MAX_SPLINE_GAP * period:
                bridged |= (even > gap.start) & (even < gap.end)
        values = np.where(bridged, PchipInterpolator(t, d)(even), CubicSpline(t, d)(even))
        if cutoff < _MAX_CUTOFF * 0.5 / period:
            sections = butter(2, cutoff, fs=1 / step, output='sos')
            values = sosfiltfilt(sections, values, padlen=min(len(values) - 1, int(1 / cutoff / step)))
        pieces.append(Piece(even, values, np.gradient(values, step)))
    return pieces


def find_minima(
    piece: Piece, least: float, noise: float, period: float, highest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times (T,) of the minima that may be taps, their prominences and their distances.

    A minimum's time is the middle between the two times at which the distance crosses a level slightly above it. Noise
    shifts these less than the lowest sample. ``least`` is the prominence of a tap, ``noise`` the standard deviation of
    the distances, ``period`` roughly that of the tapping, ``highest`` the largest distance of a tap.
    """
    step = piece.time[1] - piece.time[0]
    width = 2 * max(1, round(_NEARBY * period / step)) + 1
    movement = maximum_filter1d(piece.distance, width) - minimum_filter1d(piece.distance, width)
    found, _ = find_peaks(-piece.distance, distance=max(1, _MIN_DISTANCE * period / step))
    prominences = peak_prominences(-piece.distance, found)[0]
    deep = (prominences >= np.maximum(least, _MIN_SHARE * movement[found])) & (piece.distance[found] <= highest)
    found, prominences = found[deep], prominences[deep]
    levels = piece.distance[found] + np.clip(_LEVEL_NOISE * noise, _LEVEL[0] * prominences, _LEVEL[1] * prominences)
    times = [_middle_below(piece, i, level) for i, level in zip(found, levels, strict=True)]
    return np.array(times), prominences, piece.distance[found]


def _middle_below(piece: Piece, lowest: int, level: float) -> float:
    """Return the middle of the time around a sample in which the distance is below a level."""
    above = np.flatnonzero(piece.distance >= level)
    i = np.searchsorted(above, lowest)
    sides = []
    for inner, outer in ((above[i - 1] + 1, above[i - 1]), (above[i] - 1, above[i])):
        a, b = piece.distance[inner], piece.distance[outer]
        share = (level - a) / (b - a)
        sides.append(piece.time[inner] + share * (piece.time[outer] - piece.time[inner]))
    return float(np.mean(sides))


def detect_taps(
    time: np.ndarray, distance: np.ndarray, gaps: list[Gap], period: float, noise: float, least: float, closed: float
) -> tuple[list[Piece], list[np.ndarray], int]:
    """Return the smoothed pieces, the times of the taps in each, and how often the tips approached without closing.

    The N values are finite, N from 4 on, and times rise. ``period`` is that of the frames, ``noise`` the standard
    deviation of the distances, ``least`` the prominence of a tap, ``closed`` the largest distance at a tap.
    """
    rate = strongest_frequency(time, distance, period)
    middle = np.percentile(distance, [5, 95]).mean()
    for _ in range(2):
        cutoff = max(_CUTOFF * rate, _MIN_CUTOFF)
        pieces = smooth_pieces(time, distance, gaps, period, cutoff)
        remaining = noise * np.sqrt(min(1.0, cutoff * 2 * period))
        found = [find_minima(piece, max(least, _LIKELY * remaining), remaining, 1 / rate, middle) for piece in pieces]
        taps = [times[lows <= closed] for times, _, lows in found]
        intervals = np.concatenate([np.diff(t) for t in taps] or [[]])
        if len(intervals) < 2 or 1 / np.median(intervals) < 1.5 * rate:
            break
        rate = float(1 / np.median(intervals))  # the taps are faster than the strongest wave: filter less
    near = sum(int(((lows > closed) & (depths >= _CERTAIN * remaining)).sum()) for _, depths, lows in found)
    if max((depths[lows <= closed].max(initial=0) for _, depths, lows in found), default=0) < _CERTAIN * remaining:
        taps = [times[:0] for times in taps]
    return pieces, taps, near
