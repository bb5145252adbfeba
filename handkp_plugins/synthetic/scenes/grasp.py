"""Objects in the hand: solids that fit between the fingers and the palm of a posed hand, and touch several of them."""

from dataclasses import dataclass, replace

import numpy as np

from ..hand.model import PosedHand
from ..hand.proxies import FINGER_OF_SPHERE
from ..rendering.meshes import Mesh, ball, box, cylinder, painted

GRASPS = ('holding_cup', 'grab', 'cup', 'holding_pen', 'tripod', 'hook', 'claw', 'beak', 'pinch', 'relaxed', 'fist')
"""Gestures in which hands hold things."""

_RODS = {  # least and greatest radius, least and greatest length, metres
    'cup': ((0.022, 0.042), (0.08, 0.15)),
    'rod': ((0.006, 0.02), (0.12, 0.4)),
    'pen': ((0.0032, 0.0062), (0.12, 0.155)),
}
_PLATES = {  # half thickness, half sides
    'phone': ((0.003, 0.0055), (0.034, 0.073)),
    'card': ((0.0006, 0.002), (0.027, 0.043)),
    'box': ((0.008, 0.03), (0.02, 0.045)),
}
_BALL = (0.012, 0.042)
KINDS = (*_RODS, *_PLATES, 'ball')

_CANDIDATES = 500
_REACH = [3, 4, 4, 4, 6, 7, 8, 8, 10, 11, 12, 12, 14, 15, 16, 18, 19, 20, 5, 9, 13, 17]
"""Keypoints between which objects are tried; the more often named, the more often."""
_SINK = 0.9
"""Flesh gives way: an object may come as near to a sphere's centre as this share of its radius."""
_TOUCHES = 0.003
"""Metres within which a finger counts as touching."""
_LEAST_TOUCHES = 2
_LOPSIDED = 0.75
"""What is touched from one side only (1) is not held; 0 is touched from all sides alike."""


@dataclass(frozen=True)
class Prop:
    """A thing beside the hand, in the frame of the hand or camera that it was made for.

    Args:
        name: what it is.
        mesh: coloured.
        spheres: (P, 4) x, y, z, radius: what casts its shadow.
        gloss: 0…1.
    """

    name: str
    mesh: Mesh
    spheres: np.ndarray
    gloss: float

    def moved(self, axes: np.ndarray, offset: np.ndarray) -> 'Prop':
        """The prop turned by (3, 3) and moved by (3,)."""
        centres = np.einsum('ni,mi->nm', self.spheres[:, :3], axes) + offset
        return replace(
            self,
            mesh=self.mesh.moved(axes, offset),
            spheres=np.concatenate([centres, self.spheres[:, 3:]], axis=1),
        )


def held_object(hand: PosedHand, rng: np.random.Generator) -> Prop | None:
    """A thing in the hand, in the palm's frame; None where nothing of the drawn kind fits.

    Many places and directions between the fingers are tried at once. In each the solid grows until it meets the hand's
    spheres; of those of a fitting size the one that touches most fingers (or the palm) is taken.
    """
    kind = str(rng.choice(KINDS))
    spheres = hand.spheres
    centre = _centres(hand, rng)
    to_sphere = spheres[None, :, :3] - centre[:, None]
    if kind == 'ball':
        found = _best(to_sphere, np.linalg.norm(to_sphere, axis=2), spheres[:, 3], _BALL, rng)
        if found is None:
            return None
        i, radius = found
        return _prop(kind, ball(radius), np.zeros((1, 3)), radius, np.eye(3), centre[i], rng)

    axes = _rotations(rng)
    local = np.einsum('nij,npi->npj', axes, to_sphere)
    if kind in _RODS:
        sizes, lengths = _RODS[kind]
        half = 0.5 * rng.uniform(*lengths)
        beyond = np.maximum(np.abs(local[..., 1]) - half, 0)
        gap = np.sqrt(local[..., 0] ** 2 + local[..., 2] ** 2 + beyond**2)
        found = _best(local * [1, 0, 1], gap, spheres[:, 3], sizes, rng)
        if found is None:
            return None
        i, radius = found
        mesh = cylinder(radius, 2 * half, taper=float(rng.uniform(0.7, 1.0)) if kind == 'cup' else 1.0)
        along = np.linspace(-half, half, int(np.clip(half / radius, 2, 12)))
        line = along[:, None] * np.array([0, 1.0, 0])
        return _prop(kind, mesh, line, radius, axes[i], centre[i], rng)

    sizes, sides = _PLATES[kind]
    half_sides = np.array(sides) * rng.uniform(0.85, 1.15, 2)
    beyond = np.linalg.norm(np.maximum(np.abs(local[..., :2]) - half_sides, 0), axis=-1)
    # a sphere that the plate's outline misses sets no limit; one that it grazes, less
    below = np.sqrt(np.maximum(spheres[:, 3] ** 2 - beyond**2, 0))
    gap = np.where(beyond < spheres[:, 3], np.abs(local[..., 2]) - _SINK * below, 1.0) + _SINK * spheres[:, 3]
    found = _best(local * [0, 0, 1], gap, spheres[:, 3], sizes, rng)
    if found is None:
        return None
    i, thickness = found
    steps = [np.linspace(-1, 1, n) * h for n, h in zip((4, 7), half_sides, strict=True)]
    grid = np.stack([*np.meshgrid(*steps), np.zeros((7, 4))], axis=-1).reshape(-1, 3)
    return _prop(kind, box(np.array([*half_sides, thickness])), grid, max(thickness, 0.004), axes[i], centre[i], rng)


def _centres(hand: PosedHand, rng: np.random.Generator) -> np.ndarray:
    """Points (N, 3) between random keypoints, moved out of the palm a little or not."""
    ids = rng.choice(_REACH, (_CANDIDATES, 3))
    share = rng.dirichlet([0.7, 0.7, 0.7], _CANDIDATES)
    points = (share[..., None] * hand.keypoints[ids]).sum(1)
    return points + rng.uniform(0, 0.045, (_CANDIDATES, 1)) * np.array([0, 0, -1.0])


def _rotations(rng: np.random.Generator) -> np.ndarray:
    """(N, 3, 3) of any direction."""
    axes, _ = np.linalg.qr(rng.normal(size=(_CANDIDATES, 3, 3)))
    return axes * np.sign(np.linalg.det(axes))[:, None, None]


def _best(
    towards: np.ndarray, gap: np.ndarray, radii: np.ndarray, sizes: tuple[float, float], rng: np.random.Generator
) -> tuple[int, float] | None:
    """Which candidate to take, and its size: of those that fit and are held from several sides, one touched most.

    Args:
        towards: (N, P, 3) from each solid's axis or middle to each sphere, of any length.
        gap: (N, P) metres from each solid's axis or middle to each sphere's centre.
    """
    size = np.minimum((gap - _SINK * radii).min(1), sizes[1] * rng.uniform(0.7, 1.0))
    touching = gap - radii - size[:, None] < _TOUCHES
    touched = sum(touching[:, finger == FINGER_OF_SPHERE].any(1).astype(int) for finger in range(-1, 5))
    sides = towards / np.maximum(np.linalg.norm(towards, axis=2, keepdims=True), 1e-9) * touching[..., None]
    lopsided = np.linalg.norm(sides.sum(1), axis=1) / np.maximum(touching.sum(1), 1)
    score = np.where((size >= sizes[0]) & (lopsided < _LOPSIDED), touched + 0.9 * rng.random(len(size)), 0)
    i = int(score.argmax())
    return (i, float(size[i])) if score[i] >= _LEAST_TOUCHES else None


def _prop(
    name: str,
    mesh: Mesh,
    points: np.ndarray,
    radius: float,
    axes: np.ndarray,
    centre: np.ndarray,
    rng: np.random.Generator,
) -> Prop:
    # a little smaller than the thing, lest the skin that it sinks into turns black
    spheres = np.concatenate([points, np.full((len(points), 1), 0.85 * radius)], axis=1)
    return Prop(name, painted(mesh, rng), spheres, float(rng.uniform(0, 1.5))).moved(axes, centre)
