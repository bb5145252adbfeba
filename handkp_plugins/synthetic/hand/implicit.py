"""The mean right hand at rest as an implicit solid: a function of space, negative inside, in millimetres.

Fingers are lofted through cross-sections along their axis, so that joints, pads and the flat of the nail can be shaped;
the palm and forearm likewise along y. Parts are joined by a smooth minimum, which makes the webs between them.
"""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from .kinematics import FRAME_INDEX
from .shape import MEAN_ROOTS, MEAN_SEGMENTS

# Cross-sections of fingers: (place, half breadth, height to the back, height to the palm) in mm. The place counts
# segments from the finger's root, so that 1 is the PIP joint and 1.5 the middle of the second phalanx.
_FINGER_SECTIONS = {
    'index': [
        (-0.15, 9.5, 8.5, 10.0), (0.25, 9.6, 8.8, 11.2), (0.55, 9.3, 8.2, 10.3), (0.82, 9.4, 8.3, 8.8),
        (1.0, 9.7, 8.6, 8.6), (1.2, 9.2, 7.9, 8.9), (1.5, 8.6, 7.2, 8.8), (1.8, 8.3, 6.9, 7.6), (2.0, 8.5, 7.0, 7.3),
        (2.2, 8.3, 6.3, 7.8), (2.45, 8.3, 5.6, 8.3), (2.7, 7.8, 5.0, 7.8), (3.0, 6.9, 4.2, 6.6),
    ],
    'thumb': [
        (0.1, 10.5, 9.5, 12.0), (0.5, 11.0, 9.5, 13.0), (0.9, 11.2, 9.8, 12.0), (1.0, 11.0, 9.8, 11.0),
        (1.5, 9.9, 8.6, 10.4), (1.85, 10.4, 8.9, 9.4), (2.0, 10.9, 8.9, 9.0), (2.2, 10.9, 7.9, 9.4),
        (2.45, 11.1, 6.6, 9.9), (2.7, 10.2, 5.6, 9.2), (3.0, 8.6, 4.6, 7.4),
    ],
}  # fmt: skip
_FINGER_SIZE = {'thumb': 1.03, 'index': 1.03, 'middle': 1.05, 'ring': 0.98, 'little': 0.87}
_TIP_ROUNDING = {'thumb': 11.0, 'index': 9.5, 'middle': 9.5, 'ring': 9.0, 'little': 8.0}

# Palm: (place along y with the knuckles at 92, thumb's side, little finger's side, height to the back and palm) in mm
_PALM_SECTIONS = np.array([
    (-12, 23.0, 23.0, 13.5, 14.5), (0, 25.0, 25.5, 14.5, 16.0), (14, 27.0, 30.0, 15.5, 17.5),
    (30, 29.0, 35.5, 15.0, 17.0), (50, 31.0, 39.5, 13.0, 14.5), (70, 34.5, 42.5, 11.5, 13.0),
    (86, 36.0, 44.0, 10.5, 13.5), (98, 35.0, 43.0, 8.8, 13.5), (106, 33.5, 41.0, 7.2, 12.0),
    (118, 31.0, 38.0, 5.5, 9.5),
])  # fmt: skip
_PALM_END = (96.0, 20.0)  # where the palm starts to close, and over what length
FOREARM_LENGTH = 450.0  # long enough to leave the image
FOREARM_EXPONENT = 2.2  # of its sections' superellipses
_FOREARM_SECTIONS = np.array([
    (-460, 50.0, 44.0), (-260, 46.0, 40.0), (-200, 43.0, 36.0), (-140, 39.0, 31.0), (-90, 34.0, 25.5),
    (-50, 29.5, 21.0), (-25, 27.5, 18.5), (0, 26.0, 16.5), (20, 23.0, 13.0),
])  # fmt: skip


def smooth_min(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Minimum of two distances, the edge between them rounded over ``width`` (quadratic polynomial blend)."""
    h = np.clip(0.5 + 0.5 * (b - a) / width, 0.0, 1.0)
    return b + h * (a - b) - width * h * (1.0 - h)


def finger_coordinates(points: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Transform points (N, 3) in mm to a bone's axes (across, along, dorsal); its frame (4, 4) is in metres."""
    return (points - 1e3 * frame[:3, 3]) @ frame[:3, :3]


def place_along(along: np.ndarray, finger: str) -> np.ndarray:
    """Convert millimetres along a straight finger to a count of its segments (0 root … 3 end of the flesh)."""
    joints = np.concatenate([[0.0], np.cumsum(1e3 * MEAN_SEGMENTS[FINGERS.index(finger)])])
    place = np.interp(along, joints, [0.0, 1.0, 2.0, 3.0])
    return place + np.minimum(along, 0.0) / joints[1] + np.maximum(along - joints[3], 0.0) / (joints[3] - joints[2])


def _finger(points: np.ndarray, frame: np.ndarray, finger: str) -> np.ndarray:
    across, along, dorsal = finger_coordinates(points, frame).T
    length = 1e3 * MEAN_SEGMENTS[FINGERS.index(finger)].sum()
    sections = np.array(_FINGER_SECTIONS['thumb' if finger == 'thumb' else 'index'])
    places = np.linspace(-0.6, 3.4, 161)
    breadth, back, pad = (
        _FINGER_SIZE[finger] * PchipInterpolator(sections[:, 0], column, extrapolate=False)(
            np.clip(places, sections[0, 0], sections[-1, 0]))
        for column in sections[:, 1:].T
    )  # fmt: skip
    place = place_along(along, finger)
    breadth, back, pad = (np.interp(place, places, column) for column in (breadth, back, pad))
    height = np.where(dorsal > 0, back, pad)
    rounding = _TIP_ROUNDING[finger]
    beyond = np.maximum((along - (length - rounding)) / rounding, 0.0)
    before = np.maximum(-along / 9.0, 0.0)
    section = (np.abs(across) / breadth) ** 2.3 + (np.abs(dorsal) / height) ** 2.3
    return (np.sqrt(section ** (2 / 2.3) + beyond**2.2 + before**2) - 1.0) * np.minimum(breadth, height)


def _smooth_curve(x: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Cubic through the knots, constant beyond their ends."""
    return CubicSpline(knots, values, bc_type='clamped')(np.clip(x, knots[0], knots[-1]))


def _palm(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    roots = 1e3 * MEAN_ROOTS[1:]
    knuckle = _smooth_curve(x, roots[:, 0], roots[:, 1])
    u = np.where(y > 0, y * 92.0 / knuckle, y)
    thumb_side, little_side, back, front = (
        PchipInterpolator(_PALM_SECTIONS[:, 0], column)(np.clip(u, -12, 118)) for column in _PALM_SECTIONS[:, 1:].T
    )
    centre, half = 0.5 * (little_side - thumb_side), 0.5 * (little_side + thumb_side)
    # the knuckles form an arch: highest at the middle finger, lowest at the little one
    arch = _smooth_curve(x, [-40, -25, -3, 18, 35, 45], [-2.5, 0.0, 2.5, 1.0, -4.5, -8.0]) * np.clip(u / 80, 0, 1)
    z = z - arch
    height = np.where(z > 0, back, front)
    beyond = np.maximum((u - _PALM_END[0]) / _PALM_END[1], 0.0)
    before = np.maximum(-u / 14.0, 0.0)
    section = (np.abs(x - centre) / half) ** 2.9 + (np.abs(z) / height) ** 2.6
    return (np.sqrt(section ** (2 / 2.7) + beyond**2.4 + before**2) - 1.0) * np.minimum(half, height)


def forearm_section(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half breadth and half depth (N,) of the forearm at y (N,), all in mm."""
    half, height = (np.interp(y, _FOREARM_SECTIONS[:, 0], column) for column in _FOREARM_SECTIONS[:, 1:].T)
    return half, height


def _forearm(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    half, height = forearm_section(y)
    beyond = np.maximum((-FOREARM_LENGTH - y) / 8.0, 0.0)
    before = np.maximum(y / 16.0, 0.0)
    section = (np.abs(x) / half) ** FOREARM_EXPONENT + (np.abs(z) / height) ** FOREARM_EXPONENT
    return (np.sqrt(section ** (2 / FOREARM_EXPONENT) + beyond**2 + before**2) - 1.0) * height


def round_cone(
    points: np.ndarray, start: Sequence[float], end: Sequence[float], radius_start: float, radius_end: float
) -> np.ndarray:
    """Distance of points (N, 3) to a cone with round ends, whose radius changes linearly from start to end."""
    a, b = np.array(start, dtype=float), np.array(end, dtype=float)
    share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    nearest = a + share[:, None] * (b - a)
    return np.linalg.norm(points - nearest, axis=1) - (radius_start + share * (radius_end - radius_start))


def _web(points: np.ndarray, corners: np.ndarray, thickness: float) -> np.ndarray:
    """Distance to a flat triangle of skin with rounded edges."""
    a, b, c = corners
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal)
    inside = np.full(len(points), -np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        outward = np.cross(end - start, normal)
        inside = np.maximum(inside, (points - start) @ (outward / np.linalg.norm(outward)))
    edge = np.minimum.reduce([round_cone(points, *side, 0.0, 0.0) for side in ((a, b), (b, c), (c, a))])
    return np.where(inside <= 0, np.abs((points - a) @ normal), edge) - thickness


def hand_distance(points: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Rough signed distance of points (N, 3) in mm to the resting mean hand with these frames (35, 4, 4)."""
    thumb = frames[FRAME_INDEX['thumb_0']]
    thumb_mcp = 1e3 * frames[FRAME_INDEX['thumb_1']][:3, 3]
    along = thumb[:3, 1]
    palm = _palm(points)
    # ball of the thumb, ball of the little finger, skin between thumb and forefinger
    for start, end, *radii, width in (
        ((-13, 20, -12), thumb_mcp - 9 * along + [3, -2, 0], 13, 10.0, 9.0),
        ((-4, 32, -13), thumb_mcp - 18 * along + [5, 0, -1], 8.5, 9.0, 9.0),
        ((22, 14, -10), (32, 60, -9.5), 12.0, 9.0, 8.0),
        ((19, -8, 8), (21, -16, 7), 7.5, 6.0, 8.0),
    ):
        palm = smooth_min(palm, round_cone(points, start, end, *radii), width)
    corners = np.stack([1e3 * thumb[:3, 3] + [4, 12, 0], thumb_mcp - 4 * along + [3, 0, 1.5], [-24.0, 73, -5]])
    palm = smooth_min(palm, _web(points, corners, 5.0), 9.0)
    hand = smooth_min(palm, _forearm(points), 14.0)
    for i, finger in enumerate(LONG_FINGERS):
        root = 1e3 * MEAN_ROOTS[i + 1]
        knuckle = root + [0, -1.0, 2.0]
        hand = smooth_min(hand, round_cone(points, root + [0, -10, -1], knuckle, 8.0, 9.2), 7.0)
        hand = smooth_min(hand, _finger(points, frames[FRAME_INDEX[f'{finger}_0']], finger), 5.0)
    return smooth_min(hand, _finger(points, thumb, 'thumb'), 8.0)
