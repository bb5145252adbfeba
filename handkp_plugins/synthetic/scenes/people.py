"""Rough people behind or beside hands: heads, bodies and limbs, so that a network does not take any skin for a hand.

They are in the camera frame (x right, y down, z forward, metres), and cast no shadow on hands.
"""

import numpy as np

from ..hand.kinematics import normalize
from ..hand.skin import SkinLook, skin_tone
from ..rendering.meshes import Mesh, cylinder, ellipsoid, paint
from .grasp import NO_SHADOW, SceneObject, axes_along
from .scene import HandInScene

_ELBOW = 0.4  # metres from the wrist, a little before the drawn forearm ends
_UPPER_ARM = 0.28
_BEHIND = 0.03  # metres by which a body lies behind the hand
_TRIES = 6


def owner(hand: HandInScene, skin: SkinLook, rng: np.random.Generator) -> tuple[SceneObject, ...]:
    """Upper arm, body and head of the person behind a hand; nothing where they would hide it."""
    wrist, along = hand.to_camera(hand.hand.forearm[None, :3, 3])[0], hand.axes @ hand.hand.forearm[:3, 1]
    elbow, nearest = wrist - _ELBOW * along, hand.to_camera(hand.hand.keypoints)[:, 2].max() + _BEHIND
    cloth = rng.uniform(0.02, 0.95, 3)
    bare = skin_tone(skin) if hand.sleeve is None else cloth
    for _ in range(_TRIES):
        shoulder = elbow + _UPPER_ARM * normalize(rng.normal([0, -0.8, 0.5], [0.6, 0.4, 0.5])[None])[0]
        parts = (_rod(elbow, shoulder, 0.045, bare), *_figure(shoulder, skin, cloth, rng))
        if min(part.mesh.points[:, 2].min() for part in parts) > nearest:
            return parts
    return ()


def bystander(place: np.ndarray, skin: SkinLook, rng: np.random.Generator) -> tuple[SceneObject, ...]:
    """A person with a shoulder at a place (3,) and without hands."""
    return tuple(_figure(place, skin, rng.uniform(0.02, 0.95, 3), rng))


def limb(place: np.ndarray, skin: SkinLook, rng: np.random.Generator) -> tuple[SceneObject, ...]:
    """A bare arm or leg through a place (3,), without its end."""
    half = rng.uniform(0.1, 0.4) * normalize(rng.normal(size=3)[None] * [1, 1, 0.4])[0]
    return (_rod(place - half, place + half, rng.uniform(0.02, 0.07), skin_tone(skin)),)


def _figure(shoulder: np.ndarray, skin: SkinLook, cloth: np.ndarray, rng: np.random.Generator) -> list[SceneObject]:
    """A body and a head beside a shoulder (3,)."""
    side, tone, size = rng.choice([-1.0, 1.0]), skin_tone(skin), rng.uniform(0.85, 1.15)
    middle = shoulder + size * np.array([0.17 * side, 0.0, rng.uniform(-0.03, 0.05)])
    body = paint(ellipsoid(size * np.array([0.2, 0.34, 0.12])), rng)
    if rng.random() < 0.6:
        body = body.with_color(cloth)
    head = size * np.array([0.078, 0.108, 0.095])
    face = middle + size * np.array([0.02 * side, -0.21, 0.0])
    turn = np.array([rng.normal(0, 0.35), rng.normal(0, 0.15)])  # to the side, and nodding

    def on_face(x: float, y: float, half: tuple[float, float, float], color: np.ndarray) -> SceneObject:
        """A feature at angles in radians from the middle of the face."""
        x, y = x + turn[0], y + turn[1]
        out = np.array([np.sin(x) * np.cos(y), np.sin(y), -np.cos(x) * np.cos(y)])
        return _solid(ellipsoid(size * np.array(half)), color, face + 0.97 * head * out)

    hair = np.clip(rng.choice([0.05, 0.15, 0.5, 0.8]) * np.array([1.0, 0.8, 0.6]) + rng.normal(0, 0.03, 3), 0, 1)
    back = size * np.array([-0.03 * np.sin(turn[0]), rng.uniform(-0.04, -0.015), 0.025])
    features = [on_face(0, 0.2, (0.013, 0.025, 0.016), tone), on_face(0, 0.62, (0.026, 0.008, 0.01), [0.6, 0.25, 0.25])]
    features += [on_face(x, -0.12, (0.014, 0.007, 0.008), np.array([0.12, 0.09, 0.08])) for x in (-0.42, 0.42)]
    features += [on_face(x, -0.3, (0.02, 0.005, 0.008), 0.8 * hair) for x in (-0.42, 0.42)]
    return [
        SceneObject('body', body.transform(np.eye(3), middle + size * np.array([0, 0.26, 0])), NO_SHADOW, 0.0),
        _rod(middle, face, 0.05 * size, tone),
        _solid(ellipsoid(head), tone, face, gloss=0.5),
        _solid(ellipsoid(head * [1.08, 0.95, 1.0]), hair, face + back),
        *features,
    ]


def _solid(mesh: Mesh, color: np.ndarray, place: np.ndarray, gloss: float = 0.2) -> SceneObject:
    return SceneObject('body', mesh.with_color(np.asarray(color)).transform(np.eye(3), place), NO_SHADOW, gloss)


def _rod(start: np.ndarray, end: np.ndarray, radius: float, color: np.ndarray) -> SceneObject:
    mesh = cylinder(radius, float(np.linalg.norm(end - start)), taper=0.85).with_color(color)
    axes = axes_along(normalize((end - start)[None])[0])
    return SceneObject('body', mesh.transform(axes, (start + end) / 2), NO_SHADOW, 0.3)
