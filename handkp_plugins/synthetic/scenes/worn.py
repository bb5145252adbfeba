"""Rings and watches, fitted to the vertices of the hand that wears them, and sleeves."""

import numpy as np

from ..hand.kinematics import normalize
from ..hand.model import PosedHand
from ..hand.proxies import FINGER_OF_SPHERE
from ..hand.shape import HandShape
from ..rendering.meshes import Mesh, cylinder, grid_faces, torus
from .grasp import NO_SHADOW, SceneObject, axes_along

_METALS = np.array([[0.83, 0.67, 0.36], [0.75, 0.75, 0.77], [0.72, 0.50, 0.42], [0.12, 0.12, 0.13]])
_WIDEST_ARM = 0.06  # metres from its axis

# sleeves
_AROUND, _ALONG = 48, 26  # points and rings
_END = 0.445
_LINED = 9  # rings from the cuff that have an inside
_CLOTH = 0.001  # metres
_SHADE = 0.5  # of the colour within, where little light comes
# half breadth and half depth of the mean forearm in metres, by metres from the wrist
_ARM = np.array([
    (0.0, 0.0275, 0.0185), (0.03, 0.029, 0.020), (0.09, 0.035, 0.0265), (0.14, 0.040, 0.032), (0.26, 0.047, 0.041),
    (0.46, 0.051, 0.045),
])  # fmt: skip


def ring(hand: PosedHand, rng: np.random.Generator) -> SceneObject:
    """A ring on a long finger's first segment, in the palm's frame."""
    finger = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.2, 0.45, 0.15]))
    near, far = hand.spheres[finger == FINGER_OF_SPHERE][1:3]
    axes = axes_along(normalize((far - near)[None, :3])[0])
    middle = near[:3] + 0.35 * (far - near)[:3]
    local = (hand.vertices - middle) @ axes
    around = local[(np.abs(local[:, 1]) < 0.0025) & (np.hypot(local[:, 0], local[:, 2]) < 1.5 * near[3])]
    if not len(around):
        around = near[3] * np.array([[1.0, 0, 1], [-1, 0, -1]])
    low, high = around.min(0), around.max(0)
    half = 0.5 * (high - low)
    mesh = torus((half[0], half[2]), float(rng.uniform(0.0006, 0.0011)), float(rng.uniform(0.0008, 0.003)))
    return _metal('ring', mesh, axes, middle + axes @ (0.5 * (low + high) * [1, 0, 1]), rng)


def watch(hand: PosedHand, rng: np.random.Generator) -> list[SceneObject]:
    """A strap around the forearm and a dial on its back, in the palm's frame."""
    at, width = float(rng.uniform(0.028, 0.05)), float(rng.uniform(0.008, 0.012))
    axes, origin = hand.forearm[:3, :3], hand.forearm[:3, 3]
    local = (hand.vertices - origin) @ axes
    local = local[np.hypot(local[:, 0], local[:, 2]) < _WIDEST_ARM]
    away = np.abs(local[:, 1] + at)
    around = local[away <= max(0.006, np.partition(away, 24)[24])]  # some forearms have few points, far between
    low, high = around.min(0), around.max(0)
    half = 0.5 * (high - low)
    middle = origin + axes @ np.array([0.5 * (low[0] + high[0]), -at, 0.5 * (low[2] + high[2])])
    strap = torus((half[0], half[2]), 0.0018, width).with_color(rng.uniform(0.02, 0.8, 3))
    # a cylinder's y is along the arm, but the dial points out of its back
    tilted = axes @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    dial = cylinder(float(rng.uniform(0.013, 0.02)), 0.008)
    return [
        SceneObject('watch', strap, NO_SHADOW, 0.4).transform(axes, middle),
        _metal('watch', dial, tilted, middle + axes[:, 2] * (half[2] + 0.003), rng),
    ]


def _metal(name: str, mesh: Mesh, axes: np.ndarray, middle: np.ndarray, rng: np.random.Generator) -> SceneObject:
    color = _METALS[int(rng.integers(len(_METALS)))] * rng.uniform(0.8, 1.1)
    return SceneObject(name, mesh.with_color(color), NO_SHADOW, float(rng.uniform(1.0, 3.0))).transform(axes, middle)


def make_sleeve(forearm: np.ndarray, start: float, shape: HandShape, rng: np.random.Generator) -> Mesh:
    """A sleeve on a forearm with a frame (4, 4), whose cuff is ``start`` metres from the wrist."""
    slack = rng.uniform(0.002, 0.012)
    flare = rng.uniform(-0.003, 0.008)
    # first a ring just inside the cuff, so that the opening shows an edge and not a gap
    y = np.concatenate([[start + 0.004], start + (_END - start) * np.linspace(0, 1, _ALONG - 1) ** 1.5])
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    breadth, depth = (np.interp(y, _ARM[:, 0], column) for column in _ARM[:, 1:].T)
    clearance = slack + flare * np.exp(-(y - start) / 0.03)
    clearance[0] -= min(slack, 0.003)
    folds = rng.uniform(0, 0.002)
    waves = np.sin(y[:, None] * rng.uniform(90, 260) + 1.5 * np.sin(angle + rng.uniform(0, 6)) + rng.uniform(0, 6))
    radial = clearance[:, None] + folds * waves
    local = np.stack([
        (shape.forearm[0] * breadth[:, None] + radial) * np.cos(angle),
        -np.broadcast_to(y[:, None], radial.shape),
        (shape.forearm[1] * depth[:, None] + radial) * np.sin(angle),
    ], axis=-1)  # fmt: skip
    faces = grid_faces(_ALONG, _AROUND)
    local_normals = np.cross(np.roll(local, -1, 1) - np.roll(local, 1, 1), np.gradient(local, axis=0))
    outward = np.sign((local_normals * (local * [1, 0, 1])).sum(-1, keepdims=True))
    local_normals *= outward / np.maximum(np.linalg.norm(local_normals, axis=-1, keepdims=True), 1e-12)
    points, normals, colors = (a.reshape(-1, 3) for a in (local, local_normals, _cloth(y, angle, rng)))
    # what faces away is not drawn, and the cuff would show the background: the first ring faces inwards, and from it a
    # lining goes back along the outside's rings
    normals[:_AROUND] *= -1
    lined = slice(_AROUND, _LINED * _AROUND)
    lining = faces[((faces >= lined.start) & (faces < lined.stop)).all(1)] - lined.start + len(points)
    inside = points[lined] - _CLOTH * normals[lined]
    inside[:_AROUND] = points[:_AROUND]
    points, normals = np.concatenate([points, inside]), np.concatenate([normals, -normals[lined]])
    return Mesh(
        points=points @ forearm[:3, :3].T + forearm[:3, 3],
        normals=normals @ forearm[:3, :3].T,
        faces=np.concatenate([faces, lining]),
        colors=np.concatenate([colors, _SHADE * colors[lined]]),
    )


def _cloth(y: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colours (rings, around, 3): plain, striped along or across, or checked."""
    first, second = rng.uniform(0.02, 0.95, (2, 3))
    if rng.random() < 0.4:  # muted, as most clothes are
        first = first.mean() + 0.25 * (first - first.mean())
    across = 0.5 + 0.5 * np.sign(np.sin(y * rng.uniform(150, 600)))[:, None]
    along = 0.5 + 0.5 * np.sign(np.sin(angle * int(rng.integers(4, 14))))[None]
    patterns = {'plain': 0 * along, 'across': across, 'along': along, 'checked': 0.5 * (across + along)}
    share = patterns[str(rng.choice(list(patterns), p=[0.6, 0.18, 0.1, 0.12]))]
    cuff = 0.85 if rng.random() < 0.4 else 1.0
    color = first + np.broadcast_to(share, (len(y), len(angle)))[..., None] * (second - first)
    color[: int(rng.integers(2, 5))] *= cuff
    return np.clip(color * rng.uniform(0.93, 1.07, (len(y), len(angle), 1)), 0.01, 1)
