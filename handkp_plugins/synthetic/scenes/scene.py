"""Random scenes: hands, their poses and views, the light, and the objects around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.kinematics import apply_matrix
from ..hand.model import Handedness, HandModel, PosedHand
from ..hand.pose import HandPose
from ..hand.proxies import pose_penetration
from ..hand.shape import HandShape, random_shape
from ..hand.skin import SkinLook, random_skin
from ..poses.gestures import GESTURES
from ..poses.sampler import MAX_PENETRATION, PoseSampler
from ..rendering.camera import Camera
from ..rendering.lights import Lighting, random_lighting
from ..rendering.meshes import ball, box, cylinder, paint
from .grasp import GRASPS, SceneObject, held_object
from .views import LAYER, LAYER_CUT_SHARE, PHOTOGRAPH, arm_is_clear, random_view, view_hand
from .worn import ring, watch

# Shares of images; those of views are in ``views``, of light in ``lights``, of poses in ``poses.sampler``.
LEFT_SHARE = 0.5
SLEEVE_SHARE = 0.5
HELD_SHARE = 0.2  # share of hands that try to hold an object; in about a third of them none fits
GRASP_SHARE = 0.75  # share of those whose pose is one of ``GRASPS``
IN_FRONT_SHARE = 0.1
OTHER_HAND_SHARE = 0.14
RING_SHARE = 0.12
WATCH_SHARE = 0.1

_TRIES = 12
_MOST_COVERED = 0.4  # share of the hand's keypoints that an object or hand in front of it may cover, roughly
_MAX_CONTACT = 0.003  # metres by which two hands may enter each other


@dataclass(frozen=True)
class HandInScene:
    """One hand and its place."""

    model: HandModel
    hand: PosedHand
    pose: HandPose
    shape: HandShape
    gesture: str
    axes: np.ndarray  # (3, 3) rotation from the palm's frame to the camera's, before the
    offset: np.ndarray  # (3,) translation, metres
    sleeve: float | None  # metres from the wrist to the sleeve; None for a bare arm

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the palm's frame in the camera frame, as exact as they were."""
        return apply_matrix(points, self.axes.astype(points.dtype)) + self.offset.astype(points.dtype)

    @property
    def spheres(self) -> np.ndarray:
        """Spheres (P, 4) that roughly fill the hand, in the camera frame."""
        return np.concatenate([self.to_camera(self.hand.spheres[:, :3]), self.hand.spheres[:, 3:]], axis=1)


@dataclass(frozen=True)
class Scene:
    """Everything that the geometry and shading of one image depend on; objects are in the camera frame."""

    main: HandInScene  # the labelled hand
    other: HandInScene | None  # another hand of the same person, unlabelled
    held: SceneObject | None
    in_front: SceneObject | None
    worn: tuple[SceneObject, ...]
    skin: SkinLook
    camera: Camera
    lighting: Lighting

    @property
    def hands(self) -> list[HandInScene]:
        """The main hand, then the other one if there is one."""
        return [self.main] + ([self.other] if self.other else [])

    @property
    def objects(self) -> list[SceneObject]:
        """All objects."""
        return [obj for obj in (self.held, self.in_front, *self.worn) if obj is not None]


def random_scene(
    models: Sequence[HandModel],
    size: int,
    rng: np.random.Generator,
    poses: PoseSampler,
    layer: bool = False,
    alone: bool = False,
    one_shape: bool = False,
    handedness: Handedness | None = None,
) -> Scene:
    """Draw a scene for an image of ``size`` pixels.

    Args:
        layer: Frame the hand to be cropped later, rather than as in a photograph.
        alone: No second hand, and nothing held, worn or in front.
        one_shape: Every hand has the mean hand's proportions.
        handedness: The main hand's; None for either.
    """

    def happens(share: float) -> bool:
        return bool(rng.random() < share) and not alone

    model = models[int(rng.integers(len(models)))]
    drawn: Handedness = 'left' if rng.random() < LEFT_SHARE else 'right'
    shape = HandShape() if one_shape else random_shape(rng)
    holds = happens(HELD_SHARE)
    gesture, pose = _grasping(rng, poses, shape) if holds else poses.sample(rng, shape)
    hand = model.pose(pose, shape, handedness or drawn)
    camera = Camera(size, size * rng.uniform(1.1, 3.2))
    framing = LAYER if layer and rng.random() >= LAYER_CUT_SHARE else PHOTOGRAPH
    axes, offset = view_hand(hand, model.is_hand, camera, framing, rng)
    sleeve = float(rng.uniform(0.012, 0.13)) if rng.random() < SLEEVE_SHARE else None
    main = HandInScene(model, hand, pose, shape, gesture, axes, offset, sleeve)
    held = held_object(hand, rng) if holds else None
    worn = [ring(hand, rng)] if happens(RING_SHARE) else []
    if happens(WATCH_SHARE) and (sleeve is None or sleeve > 0.08):
        worn += watch(hand, rng)
    return Scene(
        main=main,
        other=other_hand(main, camera, rng, poses) if happens(OTHER_HAND_SHARE) else None,
        held=held.transform(axes, offset) if held else None,
        in_front=_in_front(main, camera, rng) if happens(IN_FRONT_SHARE) else None,
        worn=tuple(obj.transform(axes, offset) for obj in worn),
        skin=random_skin(rng),
        camera=camera,
        lighting=random_lighting(rng),
    )


def _grasping(rng: np.random.Generator, poses: PoseSampler, shape: HandShape) -> tuple[str, HandPose]:
    """Mostly a gesture that holds objects, part of the way to another pose."""
    gesture, other = poses.sample(rng, shape)
    if rng.random() >= GRASP_SHARE:
        return gesture, other
    name = str(rng.choice(GRASPS))
    share = np.full(len(other.angles), rng.uniform(0, 0.3))
    share[-2:] = 1.0  # the other pose's wrist
    pose = GESTURES[name].mix(other, share)
    if pose_penetration(pose, shape) > MAX_PENETRATION:
        pose = GESTURES[name].mix(other, (share == 1).astype(float))
    return name, pose


def other_hand(main: HandInScene, camera: Camera, rng: np.random.Generator, poses: PoseSampler) -> HandInScene | None:
    """A second hand beside, behind or partly before the main one, mostly the other side; None where none fits."""
    opposite: dict[Handedness, Handedness] = {'left': 'right', 'right': 'left'}
    handedness = opposite[main.hand.handedness] if rng.random() < 0.85 else main.hand.handedness
    gesture, pose = poses.sample(rng, main.shape)
    hand = main.model.pose(pose, main.shape, handedness)
    main_points = main.to_camera(main.hand.keypoints)
    reach = np.ptp(main_points, axis=0)[:2].max()
    for _ in range(_TRIES):
        axes, angle = random_view(rng, handedness), rng.uniform(0, 2 * np.pi)
        beside = rng.uniform(0.4, 1.1) * reach * np.array([np.cos(angle), np.sin(angle), 0.0])
        place = main_points.mean(0) + beside + np.array([0, 0, rng.normal(0.02, 0.06)])
        offset = place - apply_matrix(hand.keypoints, axes).mean(0)
        other = HandInScene(main.model, hand, pose, main.shape, gesture, axes, offset, main.sleeve)
        a, b = main.spheres, other.spheres
        gap = np.linalg.norm(a[:, None, :3] - b[None, :, :3], axis=2) - a[:, None, 3] - b[None, :, 3]
        vertices = other.to_camera(hand.vertices[::40])
        if gap.min() < -_MAX_CONTACT or not arm_is_clear(hand, axes, offset) or vertices[:, 2].min() < 0.06:
            continue
        nearer = vertices[vertices[:, 2] < main_points[:, 2].mean()]
        if len(nearer) < 3 or _covered(nearer, main_points, camera) <= _MOST_COVERED:
            return other
    return None


def _in_front(main: HandInScene, camera: Camera, rng: np.random.Generator) -> SceneObject | None:
    """A bar, board or ball between camera and hand that covers a part of it, in the camera frame."""
    points = main.to_camera(main.hand.keypoints)
    reach = np.ptp(points, axis=0)[:2].max()
    for _ in range(_TRIES):
        # thickness and distance together set how much of the hand is covered
        near = rng.uniform(0.6, 0.93)
        depth = near * (points[:, 2].min() - 0.02)
        kind = str(rng.choice(['bar', 'board', 'ball']))
        radius = near * reach * (rng.uniform(0.02, 0.1) if kind == 'bar' else rng.uniform(0.08, 0.25))
        if depth - radius < 0.06:
            continue
        target = points[int(rng.integers(21))] + np.array([*rng.normal(0, 0.25, 2), 0]) * reach
        axes = Rotation.from_euler('ZX', [rng.uniform(0, np.pi), rng.normal(0, 0.3)]).as_matrix()
        if kind == 'bar':
            mesh = cylinder(radius, reach * rng.uniform(1, 5), taper=float(rng.uniform(0.6, 1.0)))
        elif kind == 'board':
            mesh = box(radius * np.array([1.0, rng.uniform(0.6, 2.5), rng.uniform(0.02, 0.5)]))
        else:
            mesh = ball(radius)
        mesh = paint(mesh, rng).transform(axes, target * depth / target[2])
        if mesh.points[:, 2].min() > 0.06 and 0 < _covered(mesh.points, points, camera) <= _MOST_COVERED:
            return SceneObject(kind, mesh, np.zeros((0, 4)), float(rng.uniform(0, 1.5)))
    return None


def _covered(points: np.ndarray, keypoints: np.ndarray, camera: Camera) -> float:
    """Share of keypoints (21, 3) whose pixels lie within the hull of points (N, 3)."""
    hull = cv2.convexHull(camera.project(points).astype(np.float32))
    return float(np.mean([cv2.pointPolygonTest(hull, p, False) >= 0 for p in camera.project(keypoints).tolist()]))
