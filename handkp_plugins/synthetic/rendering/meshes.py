"""Plain solids as triangle meshes, and how they are coloured.

VTK's sources do not fit: a pattern of colours needs points along a cylinder and across the faces of a box, a cup
needs a taper, a ring an elliptical section, and all of them exact normals.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..hand.kinematics import apply_matrix, normalize

_SIDES = 40
_RINGS = 14
_UP = np.array([0, 1.0, 0])


def _circle(sides: int) -> np.ndarray:
    """Points (sides, 3) of a unit circle around y."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    return np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)


_AROUND = _circle(_SIDES)


@dataclass(frozen=True)
class Mesh:
    """Points (V, 3), unit normals (V, 3), triangles (F, 3), colours (V, 3) sRGB in 0…1."""

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    colors: np.ndarray

    def transform(self, axes: np.ndarray, offset: np.ndarray) -> 'Mesh':
        """Rotate the mesh by (3, 3), then move it by (3,)."""
        return replace(self, points=apply_matrix(self.points, axes) + offset, normals=apply_matrix(self.normals, axes))

    def with_color(self, color: np.ndarray) -> 'Mesh':
        """Give the mesh one sRGB colour (3,)."""
        return replace(self, colors=np.broadcast_to(np.clip(color, 0.01, 1), self.points.shape))


def cylinder(radius: float, length: float, taper: float = 1.0) -> Mesh:
    """A rod along y, centred at the origin; ``taper`` is the far end's radius as a share of the near one's."""
    y = np.linspace(-0.5, 0.5, _RINGS)
    radii = radius * np.interp(y, [-0.5, 0.5], [1, taper])
    wall = _AROUND * radii[:, None, None] + (y * length)[:, None, None] * _UP
    step = np.arange(_SIDES)
    fan = np.stack([step, (step + 1) % _SIDES, np.full(_SIDES, _SIDES)], axis=1)
    ends = [(np.concatenate([wall[i], [wall[i].mean(0)]]), sign * _UP, fan) for i, sign in ((0, -1), (-1, 1))]
    return _join([(wall, _AROUND, grid_faces(_RINGS, _SIDES)), *ends])


def box(half: np.ndarray) -> Mesh:
    """A box with half sides (3,), centred at the origin; each face a grid, so that light and patterns show."""
    u, v = np.meshgrid(*2 * [np.linspace(-1, 1, _RINGS)], indexing='ij')
    parts = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.roll(np.stack([np.full_like(u, sign), u, v], axis=-1), axis, axis=-1)
            parts.append((face * half, sign * np.eye(3)[axis], grid_faces(_RINGS, _RINGS, closed=False)))
    return _join(parts)


def ball(radius: float) -> Mesh:
    """A ball about the origin."""
    polar = np.linspace(0, np.pi, _RINGS + 6)[:, None, None]
    normals = np.sin(polar) * _AROUND + np.cos(polar) * _UP
    return _join([(radius * normals, normals, grid_faces(_RINGS + 6, _SIDES))])


def ellipsoid(half: np.ndarray) -> Mesh:
    """An ellipsoid of half axes (3,) about the origin."""
    sphere = ball(1.0)
    return replace(sphere, points=sphere.points * half, normals=normalize(sphere.normals / half))


def torus(half: tuple[float, float], radial: float, axial: float) -> Mesh:
    """A band around y along an ellipse of half axes (x, z); ``radial`` and ``axial`` are its section's half axes."""
    out, around = (a[:, None] for a in (_AROUND, _AROUND * [half[0], 0, half[1]]))
    cosine, _, sine = _circle(12).T[..., None]
    points = around + radial * cosine * out + axial * sine * _UP
    normals = axial * cosine * out + radial * sine * _UP
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    return _join([(points, normals, grid_faces(_SIDES + 1, 12) % (_SIDES * 12))])


def paint(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    """Give the mesh one or two random colours: plain, striped, checked or with a label around its middle."""
    first, second = rng.uniform(0.01, 0.97, (2, 3))
    if rng.random() < 0.45:  # muted or metallic
        first = first.mean() + 0.2 * (first - first.mean())
    x, y, z = (mesh.points / np.abs(mesh.points).max(0)).T
    pattern = rng.choice(['plain', 'bands', 'label', 'checks'], p=[0.5, 0.15, 0.2, 0.15])
    share = {
        'plain': 0 * y,
        'bands': np.sin(y * rng.uniform(4, 16)) > 0,
        'label': np.abs(y - rng.uniform(-0.3, 0.3)) < rng.uniform(0.2, 0.6),
        'checks': np.sin(8 * x) * np.sin(8 * y) * np.sin(8 * z + 1) > 0,
    }[str(pattern)]
    colors = first + np.asarray(share, dtype=float)[:, None] * (second - first)
    return replace(mesh, colors=np.clip(colors, 0.01, 1))


def grid_faces(rows: int, columns: int, closed: bool = True) -> np.ndarray:
    """Triangles over a grid of points, row by row; ``closed`` joins the last column to the first."""
    row, column = np.divmod(np.arange((rows - 1) * columns), columns)
    keep = closed | (column < columns - 1)
    a, b = row * columns + column, row * columns + (column + 1) % columns
    return np.concatenate([np.stack([a, b, a + columns], 1)[keep], np.stack([b, b + columns, a + columns], 1)[keep]])


def _join(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Mesh:
    """One white mesh of parts: points (..., 3), normals that broadcast to them, and faces."""
    points = [p.reshape(-1, 3) for p, _, _ in parts]
    normals = [np.broadcast_to(n, p.shape).reshape(-1, 3) for p, n, _ in parts]
    starts = np.cumsum([0] + [len(p) for p in points])
    faces = [f + start for (_, _, f), start in zip(parts, starts, strict=False)]
    whole = np.concatenate(points)
    return Mesh(whole, np.concatenate(normals), np.concatenate(faces), np.ones_like(whole))
