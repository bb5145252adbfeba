"""Draws stages: pictures of none to four hands of several sizes, of one or several people, before one camera."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..hand.kinematics import turn
from ..hand.model import HandModel
from ..hand.skin import random_skin
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera, place
from ..rendering.lights import Lighting, random_lighting
from .grasp import Prop
from .people import bystander, limb, owner
from .scene import HandInScene, Scene, other_hand, random_scene
from .views import arm_is_clear

MOST_HANDS = 4
HANDS_SHARES = (0.12, 0.4, 0.27, 0.12, 0.09)
"""Share of pictures with none, one, … four hands."""
CLOSE_SHARE = 0.35
"""Share of pictures of one or two hands that are close-ups."""
BOTH_SHARE = 0.3
"""Share of people of whom both hands are looked for, where the picture shall have more than one, beside
``scene.OTHER_HAND_SHARE``."""
OWNER_SHARE = 0.7
"""Share of hands that are not large behind which the person is looked for whom they belong to."""
BYSTANDER_SHARE, LIMB_SHARE = 0.3, 0.2
"""Share of pictures with a person, or with a bare limb, without hands; half again as often where no hand is."""

SHAPES = ((4, 3), (3, 4), (16, 9), (9, 16), (1, 1))
_SHAPE_SHARES = (0.35, 0.2, 0.12, 0.08, 0.25)
_FOCAL = (0.75, 1.7)  # shares of the longer side
_EXTENT = (0.06, 0.72)  # of a hand, shares of the shorter side
_CLOSE = (0.5, 1.15)
_LARGE = 0.45
_INSIDE = 0.6  # least share of a hand's box in the picture
_OVERLAP = 0.35  # greatest share of the smaller of two boxes that lies in the other
_NEAREST = 0.06  # metres from the camera
_OUTLINE_STEP = 40
_TRIES = 20
_DEPTHS = (0.7, 4.0)  # of who and what has no hands, metres


@dataclass(frozen=True)
class Stage:
    """Everything that the geometry and shading of one picture depend on.

    Args:
        scenes: for each person their hand or two hands and things; light and camera are the same in all.
        props: people and limbs without hands.
    """

    scenes: tuple[Scene, ...]
    props: tuple[Prop, ...]
    camera: Camera
    lighting: Lighting


def random_stage(
    models: Sequence[HandModel], size: int, rng: np.random.Generator, poses: PoseSampler, alone: bool, one_shape: bool
) -> Stage:
    """A stage for a picture whose longer side has ``size`` pixels; the other arguments are :func:`random_scene`'s."""
    wide, high = SHAPES[rng.choice(len(SHAPES), p=_SHAPE_SHARES)]
    width, height = (size * side // max(wide, high) for side in (wide, high))
    camera = Camera(width, size * rng.uniform(*_FOCAL), height)
    lighting, wanted = random_lighting(rng), int(rng.choice(MOST_HANDS + 1, p=HANDS_SHARES))
    close = wanted in (1, 2) and rng.random() < CLOSE_SHARE
    scenes: list[Scene] = []
    taken: list[np.ndarray] = []
    while len(taken) < wanted:
        scene = random_scene(models, min(width, height), rng, poses, alone=alone, one_shape=one_shape)
        if scene.other is None and not alone and rng.random() < BOTH_SHARE:
            scene = replace(scene, other=other_hand(scene.main, scene.camera, rng, poses))
        if len(taken) + len(scene.hands) > wanted:
            scene = replace(scene, other=None)
        scene = replace(scene, camera=camera, lighting=lighting)
        placed = _find_place(scene, taken, close and not taken, rng)
        if placed is None:
            break
        scenes.append(placed)
        taken += [_box(hand, camera) for hand in placed.hands]
    more = 1.0 if taken else 1.5
    props: list[Prop] = []
    for share, make in ((BYSTANDER_SHARE, bystander), (LIMB_SHARE, limb)):
        if rng.random() < more * share:
            depth = rng.uniform(*_DEPTHS)
            pixel = rng.uniform(0, camera.extent) - (camera.extent - 1) / 2
            props += make(np.array([*pixel * depth / camera.focal, depth]), random_skin(rng), rng)
    return Stage(tuple(scenes), tuple(p for p in props if p.mesh.points[:, 2].min() > _NEAREST), camera, lighting)


def _find_place(scene: Scene, taken: list[np.ndarray], close: bool, rng: np.random.Generator) -> Scene | None:
    """The scene with its hands in another size and place, where they hide none that is taken; None if none is found."""
    camera, main = scene.camera, scene.main
    shorter = camera.extent.min()
    outline = turn(main.hand.vertices[main.model.is_hand][::_OUTLINE_STEP], main.axes)
    for _ in range(_TRIES):
        share = rng.uniform(*_CLOSE) if close else np.exp(rng.uniform(*np.log(_EXTENT)))
        room = np.maximum(camera.extent - 0.8 * share * shorter, 0.2 * camera.extent)
        centre = (camera.extent - 1) / 2 + rng.uniform(-0.5, 0.5, 2) * room
        moved = _moved(scene, place(outline, camera, centre, share * shorter) - main.offset)
        if all(_fits(hand, camera, taken) for hand in moved.hands):
            if share < _LARGE and rng.random() < OWNER_SHARE:
                moved = replace(moved, worn=(*moved.worn, *owner(moved.main, moved.skin, rng)))
            return moved
    return None


def _moved(scene: Scene, by: np.ndarray) -> Scene:
    """A scene whose hands and things are moved by (3,); what would then touch the camera is left out."""

    def shifted(prop: Prop | None) -> Prop | None:
        prop = prop and prop.moved(np.eye(3), by)
        return prop if prop and prop.mesh.points[:, 2].min() > _NEAREST else None

    other = scene.other and replace(scene.other, offset=scene.other.offset + by)
    return replace(
        scene,
        main=replace(scene.main, offset=scene.main.offset + by),
        other=other,
        held=shifted(scene.held),
        in_front=shifted(scene.in_front),
        worn=tuple(prop for prop in map(shifted, scene.worn) if prop),
    )


def _fits(hand: HandInScene, camera: Camera, taken: list[np.ndarray]) -> bool:
    """Whether a hand's arm is clear of the camera, most of the hand is in the picture, and no other box in its own."""
    if not arm_is_clear(hand.hand, hand.axes, hand.offset):
        return False
    if hand.to_camera(hand.hand.vertices[::_OUTLINE_STEP])[:, 2].min() < _NEAREST:
        return False
    box = _box(hand, camera)
    area, picture = _area(box), np.array([0, 0, *camera.extent - 1.0])
    return _shared(box, picture) > _INSIDE * area and all(
        _shared(box, other) < _OVERLAP * min(area, _area(other)) for other in taken
    )


def _box(hand: HandInScene, camera: Camera) -> np.ndarray:
    """The box (x1, y1, x2, y2) of a hand, which the picture's border does not cut."""
    pixels = camera.project(hand.to_camera(hand.hand.vertices[hand.model.is_hand][::_OUTLINE_STEP]))
    return np.concatenate([pixels.min(0), pixels.max(0)])


def _area(box: np.ndarray) -> float:
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    """Area that two boxes share."""
    return _area(np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))
