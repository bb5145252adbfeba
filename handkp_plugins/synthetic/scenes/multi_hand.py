"""Multi-hand scenes and their images: none to four hands of several sizes, of one or several people, and clutter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handkp_plugins.structures.boxes import box_sizes, clip_boxes, keypoint_box

from ..hand.kinematics import apply_matrix
from ..hand.model import HandModel
from ..hand.skin import random_skin
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera, find_translation
from ..rendering.lights import Lighting, random_lighting
from ..rendering.photometric import apply_camera, exposure, motion_blur, random_camera
from ..rendering.renderer import Part, Renderer, Rendering
from .grasp import SceneObject
from .people import bystander, limb, owner
from .sample import SampleMaker, SceneSample, depth_at, linear_colors, shade_objects
from .scene import HandInScene, Scene, other_hand, random_scene
from .views import arm_is_clear

MOST_HANDS = 4
HANDS_SHARES = (0.12, 0.4, 0.27, 0.12, 0.09)  # share of images with none, one, … four hands
CLOSE_SHARE = 0.35  # share of close-ups among images of one or two hands
BOTH_SHARE = 0.3
"""Share of people who get a second hand, beside ``scene.OTHER_HAND_SHARE``, where the image needs more than one."""
OWNER_SHARE = 0.7  # share of hands that are not large and get a body and a head behind them
BYSTANDER_SHARE, LIMB_SHARE = 0.3, 0.2
"""Share of images with a person, or with a bare limb, without hands; half again as much where there is no hand."""

SHAPES = ((4, 3), (3, 4), (16, 9), (9, 16), (1, 1))
_SHAPE_SHARES = (0.35, 0.2, 0.12, 0.08, 0.25)
_FOCAL = (0.75, 1.7)  # shares of the longer side
_EXTENT = (0.06, 0.72)  # of a hand, shares of the shorter side
_CLOSE = (0.5, 1.15)
_LARGE = 0.45
_INSIDE = 0.6  # least share of a hand's box in the image
_OVERLAP = 0.35  # greatest share of the smaller of two boxes that lies in the other
_NEAREST = 0.06  # metres from the camera
_OUTLINE_STEP = 40
_TRIES = 20
_DEPTHS = (0.7, 4.0)  # metres, of people and limbs without hands

_LEAST_VISIBLE = 0.3  # share of a hand's side towards the camera; where less is visible, the scene is drawn anew
_BEFORE = 0.012  # metres by which a surface must be nearer than the hand's skin to hide it
_ATTEMPTS = 12
_FAR = 20.0  # metres
_MOVING_SHARE, _MOTION = 0.12, (0.005, 0.03)  # of images with motion blur; its length as a share of the longer side


@dataclass(frozen=True)
class MultiHandScene:
    """Everything that the geometry and shading of one image depend on."""

    people: tuple[Scene, ...]  # each with one or two hands, and objects; light and camera are the same in all
    objects: tuple[SceneObject, ...]  # people and limbs without hands
    camera: Camera
    lighting: Lighting


def random_multi_hand_scene(
    models: Sequence[HandModel], size: int, rng: np.random.Generator, poses: PoseSampler, alone: bool, one_shape: bool
) -> MultiHandScene:
    """Draw a scene for an image whose longer side is ``size`` pixels; see :func:`random_scene` for the arguments."""
    wide, high = SHAPES[rng.choice(len(SHAPES), p=_SHAPE_SHARES)]
    width, height = (size * side // max(wide, high) for side in (wide, high))
    camera = Camera(width, size * rng.uniform(*_FOCAL), height)
    lighting, wanted = random_lighting(rng), int(rng.choice(MOST_HANDS + 1, p=HANDS_SHARES))
    close = wanted in (1, 2) and rng.random() < CLOSE_SHARE
    people: list[Scene] = []
    boxes: list[np.ndarray] = []
    while len(boxes) < wanted:
        person = random_scene(models, min(width, height), rng, poses, alone=alone, one_shape=one_shape)
        if person.other is None and not alone and rng.random() < BOTH_SHARE:
            person = replace(person, other=other_hand(person.main, person.camera, rng, poses))
        if len(boxes) + len(person.hands) > wanted:
            person = replace(person, other=None)
        person = _place_person(replace(person, camera=camera, lighting=lighting), boxes, close and not boxes, rng)
        if person is None:
            break
        people.append(person)
        boxes += [_box(hand, camera) for hand in person.hands]
    more = 1.0 if boxes else 1.5
    objects: list[SceneObject] = []
    for share, make in ((BYSTANDER_SHARE, bystander), (LIMB_SHARE, limb)):
        if rng.random() < more * share:
            depth = rng.uniform(*_DEPTHS)
            pixel = rng.uniform(0, camera.extent) - (camera.extent - 1) / 2
            objects += make(np.array([*pixel * depth / camera.focal, depth]), random_skin(rng), rng)
    return MultiHandScene(tuple(people), tuple(filter(_is_clear, objects)), camera, lighting)


def _is_clear(obj: SceneObject) -> bool:
    """Whether an object does not touch the camera."""
    return obj.mesh.points[:, 2].min() > _NEAREST


def _place_person(person: Scene, boxes: list[np.ndarray], close: bool, rng: np.random.Generator) -> Scene | None:
    """Give a person's hands another size and place, clear of the other hands' boxes; None where no place is found."""
    camera, main = person.camera, person.main
    shorter = camera.extent.min()
    outline = apply_matrix(main.hand.vertices[main.model.is_hand][::_OUTLINE_STEP], main.axes)
    for _ in range(_TRIES):
        share = rng.uniform(*_CLOSE) if close else np.exp(rng.uniform(*np.log(_EXTENT)))
        room = np.maximum(camera.extent - 0.8 * share * shorter, 0.2 * camera.extent)
        centre = (camera.extent - 1) / 2 + rng.uniform(-0.5, 0.5, 2) * room
        moved = _translate(person, find_translation(outline, camera, centre, share * shorter) - main.offset)
        if all(_fits(hand, camera, boxes) for hand in moved.hands):
            if share < _LARGE and rng.random() < OWNER_SHARE:
                moved = replace(moved, worn=(*moved.worn, *owner(moved.main, moved.skin, rng)))
            return moved
    return None


def _translate(person: Scene, offset: np.ndarray) -> Scene:
    """Move hands and objects by (3,), and leave out the objects that then touch the camera."""

    def move(obj: SceneObject | None) -> SceneObject | None:
        obj = obj and obj.transform(np.eye(3), offset)
        return obj if obj and _is_clear(obj) else None

    return replace(
        person,
        main=replace(person.main, offset=person.main.offset + offset),
        other=person.other and replace(person.other, offset=person.other.offset + offset),
        held=move(person.held),
        in_front=move(person.in_front),
        worn=tuple(filter(None, map(move, person.worn))),
    )


def _fits(hand: HandInScene, camera: Camera, boxes: list[np.ndarray]) -> bool:
    """Whether arm and hand are clear of the camera, most of the hand is in the image, and no other box in its own."""
    if not arm_is_clear(hand.hand, hand.axes, hand.offset):
        return False
    if hand.to_camera(hand.hand.vertices[::_OUTLINE_STEP])[:, 2].min() < _NEAREST:
        return False
    box = _box(hand, camera)
    area, inside = (box_sizes(b).prod() for b in (box, clip_boxes(box, camera.extent - 1)))
    shared = [box_sizes(np.clip(box, np.tile(other[:2], 2), np.tile(other[2:], 2))).prod() for other in boxes]
    return inside > _INSIDE * area and all(
        part < _OVERLAP * min(area, box_sizes(other).prod()) for part, other in zip(shared, boxes, strict=True)
    )


def _box(hand: HandInScene, camera: Camera) -> np.ndarray:
    """Box (x1, y1, x2, y2) of a hand, not clipped to the image."""
    return keypoint_box(camera.project(hand.to_camera(hand.hand.vertices[hand.model.is_hand][::_OUTLINE_STEP])))


class SceneMaker(SampleMaker):
    """Makes images of multi-hand scenes whose longer side is ``size`` pixels; keep one per process."""

    photograph_share = 0.5  # generated clutter never repeats

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(size=size, renderer=Renderer(size, far=_FAR), **settings)
        self._renderers = {(size, size): self.renderer}
        del self.scene_options['layer']

    def make(self, seed: int, index: int) -> SceneSample:
        look = np.random.default_rng([seed, index, 1])
        for attempt in range(_ATTEMPTS):
            rng = np.random.default_rng([seed, index, 0, attempt])
            scene = random_multi_hand_scene(self.models, self.size, rng, self.poses, **self.scene_options)
            rendering = self._render_multi_hand(scene, look)
            hands = [(person, hand) for person in scene.people for hand in person.hands]
            if all(visible_share(hand, scene.camera, rendering.depth) >= _LEAST_VISIBLE for _, hand in hands):
                break
        else:
            raise RuntimeError(f'no scene of {_ATTEMPTS} shows all of its hands')
        width, height = scene.camera.extent
        layers = np.dstack([rendering.color, rendering.alpha])
        if look.random() < _MOVING_SHARE:
            angle = look.uniform(0, np.pi)
            layers = motion_blur(layers, self.size * look.uniform(*_MOTION) * np.array([np.cos(angle), np.sin(angle)]))
        background = self._background(self.size, look)[:height, :width]
        return SceneSample(
            image=apply_camera(layers[..., :3] + (1 - layers[..., 3:]) * background, random_camera(height, look), look),
            mask=rendering.alpha,
            annotation={},
            camera={'K': scene.camera.matrix.tolist()},
            annotations=tuple(
                self._labels_of(person, hand, rendering) | {'id': MOST_HANDS * index + k}
                for k, (person, hand) in enumerate(hands)
            ),
        )

    def _render_multi_hand(self, scene: MultiHandScene, rng: np.random.Generator) -> Rendering:
        parts: list[Part] = []
        for person in scene.people:
            parts += self._shade(person, gloss=rng.uniform(0.1, 1.3), cloth=int(rng.integers(2**31)))
        parts += shade_objects(scene.objects, np.zeros((0, 4)), scene.lighting, scene.camera)
        width, height = (int(side) for side in scene.camera.extent)
        if (width, height) not in self._renderers:
            self._renderers[width, height] = Renderer(width, height, _FAR)
        self.renderer = self._renderers[width, height]
        if not any(len(part.faces) for part in parts):
            empty = np.zeros((height, width), np.float32)
            return Rendering(np.dstack([empty] * 3), empty, np.full(empty.shape, np.inf))
        return self._draw(parts, exposure(linear_colors(parts), rng), scene.camera)


def visible_share(hand: HandInScene, camera: Camera, depth: np.ndarray) -> float:
    """Share of the hand's surface in the image and towards the camera that nothing hides, not even its own fingers."""
    points = hand.to_camera(hand.hand.vertices[hand.model.is_hand])
    normals = hand.hand.normals[hand.model.is_hand] @ hand.axes.T
    inside, before = depth_at(camera.project(points), depth)
    counts = inside & (np.einsum('vi,vi->v', normals, points) < 0)
    return float(np.mean(points[counts, 2] - before[counts] < _BEFORE)) if counts.any() else 0.0
