"""Welds a forearm to a hand's mesh that ends at the wrist: cuts the mesh straight and continues it in rings."""

import numpy as np

from ..hand.implicit import FOREARM_EXPONENT, FOREARM_LENGTH, forearm_section
from ..hand.surface import cut_mesh, find_loops, neighbour_mean
from ..hand.template import smoothstep

_CUT_FROM, _CUT_TO, _CUT_STEP = -14.0, 16.0, 1.0  # mm from the wrist: where the mesh may be cut
# an outline narrower than this share of the one some steps above is that of a rounded end
_NARROWING, _STEPS_ABOVE = 0.94, 4
_BLEND = 70.0  # mm over which the outline becomes that of our forearm
_RINGS = np.concatenate([np.arange(2.5, 30, 3.0), np.geomspace(32, FOREARM_LENGTH, 14)])  # mm below the cut
_SMOOTH_WITHIN, _SMOOTH_ROUNDS = 12.0, 12  # mm around the weld


def weld_forearm(
    points: np.ndarray, faces: np.ndarray, values: np.ndarray, fill: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Replace a hand's own end by our forearm: points (V, 3) in mm in the palm's frame, with values (V, C).

    Returns points (U, 3), faces, values (U, C), ``fill`` on the forearm, and the height y in mm at which that ends.
    """
    height = _wrist_height(points, faces)
    matrix, faces, border = cut_mesh(faces, points[:, 1] - height)
    points, values, loop = matrix @ points, matrix @ values, find_loops(border)[0]
    x, z, centre = _around(points[loop])
    direction = (np.stack([x, z]) / np.hypot(x, z))[:, None]  # (2, 1, N)
    sides = np.stack(forearm_section(height - _RINGS))[..., None]  # (2, R, 1)
    radius = (np.abs(direction / sides) ** FOREARM_EXPONENT).sum(0) ** (-1 / FOREARM_EXPONENT)
    share = smoothstep(_RINGS, 0.0, _BLEND)[:, None]
    x, z = (1 - share) * (np.stack([x, z]) + centre[:, None])[:, None] + share * radius * direction
    y = np.broadcast_to((height - _RINGS)[:, None], x.shape)
    rings = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    n, start = len(loop), len(points)
    end = np.array([[0.0, height - _RINGS[-1], 0.0]])
    ids = np.concatenate([loop[None], start + np.arange(len(rings)).reshape(-1, n)])
    above, below = ids[:-1], ids[1:]
    above_next, below_next = np.roll(above, -1, axis=1), np.roll(below, -1, axis=1)
    strips = [
        np.stack([above_next, above, below], -1).reshape(-1, 3),
        np.stack([above_next, below, below_next], -1).reshape(-1, 3),
        np.stack([np.roll(ids[-1], -1), ids[-1], np.full(n, start + len(rings))], -1),
    ]
    faces = np.concatenate([faces, *strips])
    points = np.concatenate([points, rings, end])
    share = 0.5 * (1 - smoothstep(np.abs(points[:, 1:2] - height), 0.0, _SMOOTH_WITHIN))
    mean = neighbour_mean(faces, len(points))
    for _ in range(_SMOOTH_ROUNDS):  # so that the weld shows no edge
        points = points + share * (mean @ points - points)
    return points, faces, np.concatenate([values, np.broadcast_to(fill, (len(points) - start, len(fill)))]), height


def _wrist_height(points: np.ndarray, faces: np.ndarray) -> float:
    """The lowest height at which the mesh's outline is simple and hardly narrower than a little higher."""
    lowest = max(points[:, 1].min(), _CUT_FROM)
    heights = np.arange(lowest, _CUT_TO, _CUT_STEP)
    sizes = [_outline_size(points, faces, height) for height in heights]
    for height, size, above in zip(heights, sizes, sizes[_STEPS_ABOVE:], strict=False):
        if size > _NARROWING * above > 0:
            return float(height)
    raise ValueError(f'the mesh has no simple outline between {lowest:.0f} and {_CUT_TO:.0f} mm from the wrist')


def _outline_size(points: np.ndarray, faces: np.ndarray, height: float) -> float:
    """Geometric mean of the outline's breadth and depth at a height; 0 without exactly one simple outline."""
    matrix, _, border = cut_mesh(faces, points[:, 1] - height)
    loops = find_loops(border)
    if len(loops) != 1:
        return 0.0
    x, z, _ = _around((matrix @ points)[loops[0]])
    angle = np.arctan2(np.roll(z, -1), np.roll(x, -1)) - np.arctan2(z, x)
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    once = (angle > 0).all() or (angle < 0).all()  # around the centre, one way only, without folds and inner walls
    return float(np.sqrt(np.ptp(x) * np.ptp(z))) if once else 0.0


def _around(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and z (N,) of an outline from its centre, and that centre (2,)."""
    flat = outline[:, [0, 2]]
    centre = 0.5 * (flat.min(0) + flat.max(0))
    return *(flat - centre).T, centre
