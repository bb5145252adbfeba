"""Objects beside and in the hand: solids that fit between the fingers and the palm, and touch several of them."""

from dataclasses import dataclass, replace

import numpy as np

from ..hand.kinematics import apply_matrix, normalize
from ..hand.model import PosedHand
from ..hand.proxies import FINGER_OF_SPHERE
from ..rendering.meshes import Mesh, ball, box, cylinder, paint

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
# keypoints between which objects are tried, each as often as it is named here
_REACH = [3, 4, 4, 4, 6, 7, 8, 8, 10, 11, 12, 12, 14, 15, 16, 18, 19, 20, 5, 9, 13, 17]
_SINK = 0.9  # flesh gives way: how near an object may come to a sphere's centre, as a share of its radius
_TOUCHES = 0.003  # metres within which a finger counts as touching
_LEAST_TOUCHES = 2
_LOPSIDED = 0.75  # what is touched from one side only (1) is not held; 0 is touched from all sides alike

NO_SHADOW = np.zeros((0, 4))


@dataclass(frozen=True)
class SceneObject:
    """An object beside the hand, in the frame of the hand or camera that it was made for."""

    name: str
    mesh: Mesh
    spheres: np.ndarray  # (P, 4) x, y, z, radius of what casts its shadow
    gloss: float  # 0…1 and more

    def transform(self, axes: np.ndarray, offset: np.ndarray) -> 'SceneObject':
        """Rotate the object by (3, 3), then move it by (3,)."""
        centres = apply_matrix(self.spheres[:, :3], axes) + offset
        spheres = np.concatenate([centres, self.spheres[:, 3:]], axis=1)
        return replace(self, mesh=self.mesh.transform(axes, offset), spheres=spheres)


def axes_along(axis: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose y axis is the unit vector ``axis`` (3,)."""
    aside = normalize(np.cross(axis, [0.0, 0, 1])[None] + 1e-9)[0]
    return np.stack([aside, axis, np.cross(aside, axis)], axis=1)


def held_object(hand: PosedHand, rng: np.random.Generator, kind: str | None = None) -> SceneObject | None:
    """An object in the hand, in the palm's frame, of a kind or of a random one; None where none fits.

    Many places and directions between the fingers are tried at once. In each the solid grows until it meets the hand's
    spheres. Among those of a fitting size, the one that touches most fingers (or the palm) wins.
    """
    kind = kind or str(rng.choice(KINDS))
    spheres, radii = hand.spheres, hand.spheres[:, 3]
    # between random keypoints, moved out of the palm a little or not
    ids, share = rng.choice(_REACH, (_CANDIDATES, 3)), rng.dirichlet([0.7, 0.7, 0.7], _CANDIDATES)
    centre = (share[..., None] * hand.keypoints[ids]).sum(1)
    centre = centre + rng.uniform(0, 0.045, (_CANDIDATES, 1)) * np.array([0, 0, -1.0])
    to_sphere = spheres[None, :, :3] - centre[:, None]
    if kind == 'ball':
        axes, sizes = np.tile(np.eye(3), (_CANDIDATES, 1, 1)), _BALL
        towards, gap = to_sphere, np.linalg.norm(to_sphere, axis=2)
    else:
        axes, _ = np.linalg.qr(rng.normal(size=(_CANDIDATES, 3, 3)))
        axes = axes * np.sign(np.linalg.det(axes))[:, None, None]
        local = np.einsum('nij,npi->npj', axes, to_sphere)
    if kind in _RODS:
        sizes, lengths = _RODS[kind]
        half, towards = 0.5 * rng.uniform(*lengths), local * [1, 0, 1]
        beyond = np.maximum(np.abs(local[..., 1]) - half, 0)
        gap = np.sqrt(local[..., 0] ** 2 + local[..., 2] ** 2 + beyond**2)
    elif kind in _PLATES:
        sizes, sides = _PLATES[kind]
        half_sides, towards = np.array(sides) * rng.uniform(0.85, 1.15, 2), local * [0, 0, 1]
        beyond = np.linalg.norm(np.maximum(np.abs(local[..., :2]) - half_sides, 0), axis=-1)
        # a sphere that the plate's outline misses sets no limit; one that it grazes, less
        below = np.sqrt(np.maximum(radii**2 - beyond**2, 0))
        gap = np.where(beyond < radii, np.abs(local[..., 2]) - _SINK * below, 1.0) + _SINK * radii
    found = _best(towards, gap, radii, sizes, rng)
    if found is None:
        return None
    i, size = found
    if kind == 'ball':
        mesh, points = ball(size), np.zeros((1, 3))
    elif kind in _RODS:
        mesh = cylinder(size, 2 * half, taper=float(rng.uniform(0.7, 1.0)) if kind == 'cup' else 1.0)
        along = np.linspace(-half, half, int(np.clip(half / size, 2, 12)))
        points = along[:, None] * np.array([0, 1.0, 0])
    else:
        mesh = box(np.array([*half_sides, size]))
        steps = [np.linspace(-1, 1, n) * h for n, h in zip((4, 7), half_sides, strict=True)]
        points, size = np.stack([*np.meshgrid(*steps), np.zeros((7, 4))], axis=-1).reshape(-1, 3), max(size, 0.004)
    # a little smaller than the object, so that the skin that it sinks into does not turn black
    shadow = np.concatenate([points, np.full((len(points), 1), 0.85 * size)], axis=1)
    return SceneObject(kind, paint(mesh, rng), shadow, float(rng.uniform(0, 1.5))).transform(axes[i], centre[i])


def _best(
    towards: np.ndarray, gap: np.ndarray, radii: np.ndarray, sizes: tuple[float, float], rng: np.random.Generator
) -> tuple[int, float] | None:
    """Choose a candidate that fits, is held from several sides and touched most; returns its index and size.

    ``towards`` (N, P, 3) points from each solid's axis or middle to each sphere; ``gap`` (N, P) is that distance.
    """
    size = np.minimum((gap - _SINK * radii).min(1), sizes[1] * rng.uniform(0.7, 1.0))
    touching = gap - radii - size[:, None] < _TOUCHES
    touched = sum(touching[:, finger == FINGER_OF_SPHERE].any(1).astype(int) for finger in range(-1, 5))
    sides = towards / np.maximum(np.linalg.norm(towards, axis=2, keepdims=True), 1e-9) * touching[..., None]
    lopsided = np.linalg.norm(sides.sum(1), axis=1) / np.maximum(touching.sum(1), 1)
    score = np.where((size >= sizes[0]) & (lopsided < _LOPSIDED), touched + 0.9 * rng.random(len(size)), 0)
    i = int(score.argmax())
    return (i, float(size[i])) if score[i] >= _LEAST_TOUCHES else None
