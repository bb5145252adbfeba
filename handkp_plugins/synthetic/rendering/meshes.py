"""Plain solids as triangle meshes: rods with round or square sections, balls, and how they are coloured."""

from dataclasses import dataclass, replace

import numpy as np

from ..hand.kinematics import turn, unit

_SIDES = 40
_RINGS = 14


@dataclass(frozen=True)
class Mesh:
    """Points (V, 3), unit normals (V, 3), triangles (F, 3), colours (V, 3) sRGB in 0…1."""

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    colors: np.ndarray

    def moved(self, axes: np.ndarray, offset: np.ndarray) -> 'Mesh':
        """The mesh turned by (3, 3) and moved by (3,)."""
        return replace(self, points=turn(self.points, axes) + offset, normals=turn(self.normals, axes))

    def colored(self, color: np.ndarray) -> 'Mesh':
        """The mesh in one sRGB colour (3,)."""
        return replace(self, colors=np.broadcast_to(np.clip(color, 0.01, 1), self.points.shape))


def cylinder(radius: float, length: float, taper: float = 1.0) -> Mesh:
    """A rod along y, centred at the origin; ``taper`` is the far end's radius as a share of the near one's."""
    angle = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    y = np.linspace(-0.5, 0.5, _RINGS)
    around = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    radii = radius * np.interp(y, [-0.5, 0.5], [1, taper])
    wall = around[None] * radii[:, None, None] + (y * length)[:, None, None] * np.array([0, 1.0, 0])
    meshes = [(wall.reshape(-1, 3), np.tile(around, (_RINGS, 1)), _grid_faces(_RINGS, _SIDES))]
    for end in (0, -1):
        rim = np.concatenate([wall[end], [wall[end].mean(0)]])
        step = np.arange(_SIDES)
        faces = np.stack([step, (step + 1) % _SIDES, np.full(_SIDES, _SIDES)], axis=1)
        meshes.append((rim, np.tile([0, np.sign(y[end]), 0], (len(rim), 1)), faces))
    return _join(meshes)


def box(half: np.ndarray) -> Mesh:
    """A box with half sides (3,), centred at the origin; each face a grid, so that light and patterns show."""
    meshes = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = np.meshgrid(*2 * [np.linspace(-1, 1, _RINGS)], indexing='ij')
            points = np.empty((u.size, 3))
            points[:, axis] = sign
            points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = u.ravel(), v.ravel()
            normals = np.zeros_like(points)
            normals[:, axis] = sign
            meshes.append((points * half, normals, _grid_faces(_RINGS, _RINGS, closed=False)))
    return _join(meshes)


def ball(radius: float) -> Mesh:
    """A ball about the origin."""
    polar = np.linspace(0, np.pi, _RINGS + 6)[:, None]
    angle = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)[None]
    normals = np.stack(
        [np.sin(polar) * np.cos(angle), np.cos(polar) + 0 * angle, np.sin(polar) * np.sin(angle)], axis=-1
    ).reshape(-1, 3)
    return _join([(radius * normals, normals, _grid_faces(_RINGS + 6, _SIDES))])


def ellipsoid(half: np.ndarray) -> Mesh:
    """An ellipsoid of half axes (3,) about the origin."""
    round_ = ball(1.0)
    return replace(round_, points=round_.points * half, normals=unit(round_.normals / half))


def painted(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    """The mesh in one or two random colours: plain, striped, checked or with a label around its middle."""
    first, second = rng.uniform(0.01, 0.97, (2, 3))
    if rng.random() < 0.45:  # muted or metallic
        first = first.mean() + 0.2 * (first - first.mean())
    extent = np.abs(mesh.points).max(0)
    x, y, z = (mesh.points / extent).T
    pattern = rng.choice(['plain', 'bands', 'label', 'checks'], p=[0.5, 0.15, 0.2, 0.15])
    share = {
        'plain': 0 * y,
        'bands': np.sin(y * rng.uniform(4, 16)) > 0,
        'label': (np.abs(y - rng.uniform(-0.3, 0.3)) < rng.uniform(0.2, 0.6)) * 1.0,
        'checks': np.sin(8 * x) * np.sin(8 * y) * np.sin(8 * z + 1) > 0,
    }[str(pattern)]
    colors = first + np.asarray(share, dtype=float)[:, None] * (second - first)
    return replace(mesh, colors=np.clip(colors, 0.01, 1))


def _grid_faces(rows: int, columns: int, closed: bool = True) -> np.ndarray:
    """Triangles over a grid of points, row by row; ``closed`` joins the last column to the first."""
    row, column = np.divmod(np.arange((rows - 1) * columns), columns)
    keep = np.ones(len(row), bool) if closed else column < columns - 1
    a, b = row * columns + column, row * columns + (column + 1) % columns
    faces = np.concatenate([np.stack([a, b, a + columns], 1)[keep], np.stack([b, b + columns, a + columns], 1)[keep]])
    return faces


def _join(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Mesh:
    starts = np.cumsum([0] + [len(points) for points, _, _ in parts])
    points = np.concatenate([p for p, _, _ in parts])
    return Mesh(
        points,
        np.concatenate([n for _, n, _ in parts]).astype(float),
        np.concatenate([f + s for (_, _, f), s in zip(parts, starts, strict=False)]),
        np.ones_like(points),
    )


def torus(half: tuple[float, float], radial: float, axial: float) -> Mesh:
    """A band around y along an ellipse of half axes (x, z); ``radial`` and ``axial`` are its section's half axes."""
    angle = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)[:, None]
    turn_ = np.linspace(0, 2 * np.pi, 12, endpoint=False)[None]
    out = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=-1)
    ring = out * np.array([half[0], 0, half[1]])
    up = np.array([0, 1.0, 0])
    points = ring + radial * np.cos(turn_)[..., None] * out + axial * np.sin(turn_)[..., None] * up
    normals = axial * np.cos(turn_)[..., None] * out + radial * np.sin(turn_)[..., None] * up
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    row, column = np.divmod(np.arange(_SIDES * 12), 12)
    a, b = row * 12 + column, row * 12 + (column + 1) % 12
    c, d = ((row + 1) % _SIDES) * 12 + column, ((row + 1) % _SIDES) * 12 + (column + 1) % 12
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return _join([(points.reshape(-1, 3), normals.reshape(-1, 3), faces)])
