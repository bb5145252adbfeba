"""Where thumb and index finger touch, in a series of their tips' distance. Seconds, sizes of the hand, taps a second.

1. The series is cut where it is unknown for longer than a stated time. Within a piece a cubic spline leads through the
   samples, whatever their times, and over one or two missing frames, where PCHIP would flatten a closure; over more it
   is PCHIP, which is monotone and invents no turn.
2. A low-pass filter without delay, at four times the rate of tapping (from a Lomb-Scargle periodogram, which uneven
   times do not trouble), takes the jitter out. Where that is near half the frame rate, nothing is filtered.
3. Taps are the minima between which the hand opened: by more than a least amplitude, a multiple of the noise that is
   left, and a quarter of what it moves by in that part of the series; and at which the tips are nearer than half-way
   between their usual extremes, and as near as those of a closed hand. Of all of them one must stand out from the
   noise beyond doubt.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import butter, detrend, find_peaks, lombscargle, peak_prominences, sosfiltfilt

FREQUENCIES = (0.2, 12.0)
"""Least and greatest rate that is looked for."""
_SPLINED = 3.5  # frame times: a gap of less has two frames missing at most
_DENSE = 4  # samples of the spline for each of the camera's
_ABOVE = 3.0  # times the rate of tapping that the filter lets pass
_LEAST_CUTOFF = 4.0  # hertz: a slow tap may be a quick movement and a rest
_UNFILTERED = 0.8  # of half the frame rate: a filter at more does nothing worth its edges
_CERTAIN, _LIKELY = 8.0, 3.0  # times the noise: of one tap at least, and of each
_SHARE = 0.25
_LEVEL_NOISES, _LEVEL = 2.0, (0.05, 0.5)
_APART = 0.4  # of a period, between taps
_PERIODS = 1.5  # to either side, of the series that a tap is compared with


@dataclass(frozen=True)
class Piece:
    """A stretch of the series without a long gap, resampled at even times and smoothed: time, distance, speed (M,)."""

    time: np.ndarray
    distance: np.ndarray
    speed: np.ndarray

    def at(self, time: float) -> float:
        """The distance at a time between two samples."""
        return float(np.interp(time, self.time, self.distance))


@dataclass(frozen=True)
class Gap:
    """Neighbouring samples at ``start`` and ``end`` between which at least one frame is missing."""

    start: float
    end: float
    bridged: bool


def find_gaps(time: np.ndarray, known: np.ndarray, period: float, longest: float) -> list[Gap]:
    """The gaps between frames at times (N,) in which the hand is known; those at the ends are never bridged.

    Args:
        known: (N,) bool.
        period: of the frames.
        longest: gaps up to it are bridged, and always those of a missing frame or less than that.
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
    """Rate at which the distance changes most, by its speed rather than its way, so that slow drifts count for less."""
    duration = time[-1] - time[0]
    low, high = max(FREQUENCIES[0], 1 / duration), min(FREQUENCIES[1], 0.48 / period)
    if high <= low:
        return low
    frequency = np.arange(low, high, 0.2 / duration)
    power = lombscargle(time, detrend(distance), 2 * np.pi * frequency)
    return float(frequency[np.argmax(power * frequency)])


def smoothed_pieces(
    time: np.ndarray, distance: np.ndarray, gaps: list[Gap], period: float, cutoff: float
) -> list[Piece]:
    """The pieces between long gaps; a piece of less than four samples is left out.

    Args:
        period: of the frames.
        cutoff: of the filter.
    """
    ends = [i for i, t in enumerate(time) if any(gap.start == t and not gap.bridged for gap in gaps)]
    pieces = []
    for part in np.split(np.arange(len(time)), np.array(ends, int) + 1):
        if len(part) < 4:
            continue
        t, d = time[part], distance[part]
        step = period / _DENSE
        even = t[0] + step * np.arange(int((t[-1] - t[0]) / step + 1e-6) + 1)
        bridged = np.zeros(len(even), bool)
        for gap in gaps:
            if gap.end - gap.start < _SPLINED * period:
                continue
            bridged |= (even > gap.start) & (even < gap.end)
        values = np.where(bridged, PchipInterpolator(t, d)(even), CubicSpline(t, d)(even))
        if cutoff < _UNFILTERED * 0.5 / period:
            sections = butter(2, cutoff, fs=1 / step, output='sos')
            values = sosfiltfilt(sections, values, padlen=min(len(values) - 1, int(1 / cutoff / step)))
        pieces.append(Piece(even, values, np.gradient(values, step)))
    return pieces


def minima(
    piece: Piece, least: float, noise: float, period: float, highest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (T,) of the minima that may count as taps, rising, their prominences and their distances.

    A minimum's time is the middle between the times at which the distance passes a level a little above it, which noise
    moves less than the lowest sample.

    Args:
        least: prominence that a tap needs at all.
        noise: standard deviation of the piece's distances.
        period: of tapping, roughly.
        highest: distance at which no closure is.
    """
    step = piece.time[1] - piece.time[0]
    width = 2 * max(1, round(_PERIODS * period / step)) + 1
    moved = maximum_filter1d(piece.distance, width) - minimum_filter1d(piece.distance, width)
    found, _ = find_peaks(-piece.distance, distance=max(1, _APART * period / step))
    prominences = peak_prominences(-piece.distance, found)[0]
    deep = (prominences >= np.maximum(least, _SHARE * moved[found])) & (piece.distance[found] <= highest)
    found, prominences = found[deep], prominences[deep]
    levels = piece.distance[found] + np.clip(_LEVEL_NOISES * noise, _LEVEL[0] * prominences, _LEVEL[1] * prominences)
    times = [_middle(piece, i, level) for i, level in zip(found, levels, strict=True)]
    return np.array(times), prominences, piece.distance[found]


def _middle(piece: Piece, lowest: int, level: float) -> float:
    """The middle of the time about a sample in which the distance is below a level."""
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
    """The smoothed pieces of a series, the times of each one's taps, and how often the tips came nearer, but not close.

    Args:
        time, distance: (N,), N from 4 on, rising times, all finite.
        period: of the frames.
        noise: standard deviation of the distances.
        least: prominence of a tap.
        closed: greatest distance at a tap.
    """
    rate = strongest_frequency(time, distance, period)
    middle = np.percentile(distance, [5, 95]).mean()
    for _ in range(2):
        cutoff = max(_ABOVE * rate, _LEAST_CUTOFF)
        pieces = smoothed_pieces(time, distance, gaps, period, cutoff)
        remaining = noise * np.sqrt(min(1.0, cutoff * 2 * period))
        found = [minima(piece, max(least, _LIKELY * remaining), remaining, 1 / rate, middle) for piece in pieces]
        taps = [times[lows <= closed] for times, _, lows in found]
        intervals = np.concatenate([np.diff(t) for t in taps] or [[]])
        if len(intervals) < 2 or 1 / np.median(intervals) < 1.5 * rate:
            break
        rate = float(1 / np.median(intervals))  # the taps are faster than the strongest wave: filter less
    near = sum(int(((lows > closed) & (depths >= _CERTAIN * remaining)).sum()) for _, depths, lows in found)
    if max((depths[lows <= closed].max(initial=0) for _, depths, lows in found), default=0) < _CERTAIN * remaining:
        taps = [times[:0] for times in taps]
    return pieces, taps, near
