"""Rings and watches, fitted to the vertices of the hand that wears them."""

import numpy as np

from ..hand.kinematics import normalize
from ..hand.model import PosedHand
from ..hand.proxies import FINGER_OF_SPHERE
from ..rendering.meshes import Mesh, cylinder, torus
from .grasp import NO_SHADOW, SceneObject, axes_along

_METALS = np.array([[0.83, 0.67, 0.36], [0.75, 0.75, 0.77], [0.72, 0.50, 0.42], [0.12, 0.12, 0.13]])
_WIDEST_ARM = 0.06  # metres from its axis


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
    """A mesh in a random metal, at a place."""
    color = _METALS[int(rng.integers(len(_METALS)))] * rng.uniform(0.8, 1.1)
    return SceneObject(name, mesh.with_color(color), NO_SHADOW, float(rng.uniform(1.0, 3.0))).transform(axes, middle)
