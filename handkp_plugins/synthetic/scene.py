"""Draws scenes: which hand in which pose, seen how, under which light."""

from dataclasses import dataclass

import numpy as np

from ..hand.gestures import random_pose
from ..hand.kinematics import rotation, turn
from ..hand.model import Handedness, HandModel, PosedHand
from ..hand.pose import HandPose
from ..hand.shape import HandShape, random_shape
from ..hand.skin import SkinLook, random_skin
from .camera import Camera, place

# views in which the arm comes to the camera more than this (cosine), or so near (metres), that it would hide the hand
# are drawn again
_MAX_FORESHORTENING = 0.8
_ARM_LENGTH = 0.3
_MIN_ARM_DISTANCE = 0.1
_VIEW_TRIES = 50
_OUTLINE_STEP = 40


@dataclass(frozen=True)
class Light:
    """One distant light. ``direction`` (3,) points from the hand to it, camera frame; ``color`` (3,) linear RGB;
    ``softness`` is the tangent of its half angle as seen from the hand."""

    direction: np.ndarray
    color: np.ndarray
    softness: float


@dataclass(frozen=True)
class Scene:
    """Everything that the geometry and shading of one picture depend on."""

    hand: PosedHand
    pose: HandPose
    shape: HandShape
    gesture: str
    handedness: Handedness
    skin: SkinLook
    camera: Camera
    axes: np.ndarray  # (3, 3) palm's frame to camera axes
    offset: np.ndarray  # (3,) metres
    lights: tuple[Light, ...]
    sky: np.ndarray  # (3,) linear RGB of the light from above
    ground: np.ndarray  # (3,) linear RGB of the light from below
    sleeve: float | None  # metres from the wrist at which a sleeve starts, None for a bare arm

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the palm's frame in the camera frame."""
        return turn(points, self.axes) + self.offset


def random_scene(model: HandModel, size: int, rng: np.random.Generator) -> Scene:
    """A scene for a picture of ``size`` pixels."""
    handedness: Handedness = 'left' if rng.random() < 0.5 else 'right'
    shape = random_shape(rng)
    gesture, pose = random_pose(rng, shape)
    hand = model.pose(pose, shape, handedness)
    camera = Camera(size, size * rng.uniform(1.1, 3.2))
    extent = size * np.clip(rng.normal(0.72, 0.14), 0.36, 1.1)
    room = max(0.5 * (size - extent), 0.0)
    centre = (size - 1) / 2 + rng.uniform(-0.85, 0.85, 2) * room + rng.normal(0, 0.02, 2) * size
    outline = hand.vertices[model.is_hand][::_OUTLINE_STEP]
    for _ in range(_VIEW_TRIES):
        axes = random_view(rng, handedness)
        offset = place(turn(outline, axes), camera, centre, extent)
        to_elbow = -(axes @ hand.forearm[:3, 1])
        if -to_elbow[2] < _MAX_FORESHORTENING and offset[2] + _ARM_LENGTH * to_elbow[2] > _MIN_ARM_DISTANCE:
            break
    return Scene(
        hand=hand,
        pose=pose,
        shape=shape,
        gesture=gesture,
        handedness=handedness,
        skin=random_skin(rng),
        camera=camera,
        axes=axes,
        offset=offset,
        lights=_random_lights(rng),
        sky=_random_color(rng, 0.25) * rng.uniform(0.25, 0.9),
        ground=_random_color(rng, 0.35) * rng.uniform(0.08, 0.5),
        sleeve=float(rng.uniform(0.012, 0.13)) if rng.random() < 0.5 else None,
    )


def random_view(rng: np.random.Generator, handedness: Handedness) -> np.ndarray:
    """Rotation (3, 3) from the palm's frame to camera axes: any view, but more often one that people hold a hand in."""
    if rng.random() < 0.3:
        quaternion = rng.normal(size=4)
        w, x, y, z = quaternion / np.linalg.norm(quaternion)
        axis = np.array([x, y, z]) / max(np.linalg.norm([x, y, z]), 1e-9)
        return rotation(axis, 2 * np.arccos(np.clip(w, -1, 1)))
    # palm to the camera, fingers up; then about the hand's length, nodding, and in the picture
    upright = np.array([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
    side = {'right': 1.0, 'left': -1.0}[handedness]
    turn = rng.choice([0.0, np.pi, side * np.pi / 2], p=[0.45, 0.35, 0.2]) + rng.normal(0, np.radians(38))
    nod = rng.normal(0, np.radians(32))
    roll = rng.normal(0, np.radians(50)) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi)
    x, y, z = np.eye(3)
    return rotation(z, roll) @ rotation(x, nod) @ upright @ rotation(y, turn)


def _random_color(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Linear RGB near white, more often along warm to cold."""
    warmth = rng.normal(0, spread)
    color = np.exp(np.array([0.5, 0.0, -0.6]) * warmth + rng.normal(0, 0.12 * spread, 3))
    return color / color.mean()


def _random_lights(rng: np.random.Generator) -> tuple[Light, ...]:
    """A main light, often a second, weaker one; from any side, seldom from straight behind the hand."""
    lights = []
    for i in range(int(rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))):
        direction = rng.normal(size=3) + np.array([0.0, -0.7, -0.9 if i == 0 else 0.0])
        strength = rng.uniform(0.5, 1.8) if i == 0 else rng.uniform(0.1, 0.7)
        softness = float(np.exp(rng.uniform(np.log(0.03), np.log(0.5))))
        lights.append(Light(direction / np.linalg.norm(direction), strength * _random_color(rng, 0.3), softness))
    return tuple(lights)
