"""Clips of actions seen by the person who acts: a hand takes an object along a path above a table.

Verbs come in pairs: the second plays the first one's path backwards, with all else that moves. A path rests before and
after its movement, so one frame does not tell the two verbs of a pair apart. Metres, seconds, radians.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import BONES, FINGER_KEYPOINTS

from ..hand.kinematics import FRAME_INDEX, apply_matrix
from ..hand.model import Handedness, HandModel, PosedHand
from ..hand.pose import HandPose
from ..hand.proxies import pose_penetration
from ..hand.shape import HandShape, random_shape
from ..hand.skin import SkinLook, random_skin
from ..poses.gestures import GESTURES
from ..poses.sampler import MAX_PENETRATION, PoseSampler, jitter_pose
from ..rendering.camera import Camera
from ..rendering.lights import Lighting, random_lighting
from ..rendering.renderer import Rendering
from ..scenes.grasp import SceneObject, held_object
from ..scenes.sample import Sample, SceneSample
from ..scenes.scene import SLEEVE_SHARE, HandInScene, Scene
from ..scenes.views import arms_are_clear
from .clip import Clip, ClipMaker, hand_frames
from .hand_motion import finger_motion
from .motion import CameraPath, minimum_jerk, rotate, sway

VERBS = ('lift', 'lower', 'pull', 'push', 'tip', 'right')
"""Pairs of a path and its reverse: up and down, to the person and away, to the side and upright again."""
GRASPS = {
    'cup': ('holding_cup', 'grab', 'cup'),
    'pen': ('holding_pen', 'tripod', 'pinch'),
    'phone': ('holding_cup', 'cup', 'beak', 'bent_flat'),
    'ball': ('claw', 'grab', 'cup', 'beak'),
}
"""The objects and the gestures that hold them."""
OBJECTS = tuple(GRASPS)
ACTIONS = tuple(f'{verb} {name}' for name in OBJECTS for verb in VERBS)
FOCAL = 0.75
"""Focal length as a share of the image's width: one for all clips, so that depth can be told from size."""
OTHER_HAND_SHARE = 0.7
"""Share of clips with an unlabelled left hand, where one hand is labelled."""
CROSSING_SHARE = 0.6
"""Share of other hands that pass between the camera and the acting hand."""

_TRIES = 60
_PLACES = 10  # tried for each motion of the other hand's fingers
_GRASP_TRIES = 24
_TIP_REACH = 0.025  # from the keypoint of a fingertip that holds an object to its mesh
_JITTER = 3.0  # degrees, of a grasp's joints
_WRIST = ((-12, 12), (4, 6))  # mean and deviation of flexion and deviation, degrees
_PITCH = np.radians([36, 54])  # of the camera, down
_ROLL = np.radians(4)
_AZIMUTH, _ELEVATION = np.radians([-62, -14]), np.radians([-12, 32])  # of a right forearm, from straight ahead
_PRONATION = np.radians([-10, 150])  # palm down 0, thumb up 90
_DISTANCE = (0.33, 0.48)  # from the camera to the middle of the path
_OFF_CENTRE = 0.09  # deviation of that middle in the image, as a share of its width
_LENGTHS = {'lift': (0.08, 0.15), 'pull': (0.08, 0.15)}
_TIP = np.radians([45, 80])
_TURN = np.radians(8)  # deviation of the rotation that goes with any path
_ABOVE = (0.0, 0.06)  # from the table to the lowest point of hand and object
_DURATION = (0.75, 1.25)
_NEAREST = 0.14  # from the camera
_CLEARANCE = 0.004
_INSIDE = 0.93  # share of the acting hand's keypoints in the image
_RISE = (0.3, 0.5)
_MIRROR = np.diag([-1.0, 1, 1])
_TABLE = 1.8  # side of the square of table that has a texture
_TABLE_PIXELS = 640
_SHADOW, _SHADOW_BLUR = 0.45, 0.012  # darkness; deviation as a share of the image's width
_STEEPEST = 0.4  # cosine from straight up to the lamp that casts it; else it lies below
_BONE_WIDTH, _ARM = 0.02, 0.25
_PALM = [0, 1, 5, 9, 13, 17]


@dataclass(frozen=True)
class Person:
    """What the clips of one person share.

    Args:
        model, shape, skin: Of both hands.
        sleeve: As in :class:`HandInScene`.
    """

    model: HandModel
    shape: HandShape
    skin: SkinLook
    sleeve: float | None


@dataclass(frozen=True)
class View:
    """The camera at rest above a table: unit vectors (3,) to the right, ahead and up in its frame, and its height."""

    right: np.ndarray
    ahead: np.ndarray
    up: np.ndarray
    height: float

    @property
    def axes(self) -> np.ndarray:
        """Columns right, ahead, up."""
        return np.stack([self.right, self.ahead, self.up], axis=1)

    def mirror(self) -> 'View':
        """Return the view in a mirror that swaps left and right."""
        return View(-_MIRROR @ self.right, _MIRROR @ self.ahead, _MIRROR @ self.up, self.height)


@dataclass(frozen=True)
class ActionClip(Clip):
    """A clip of an action.

    Args:
        action: Index of :data:`ACTIONS`.
        view: The camera at rest.
        other: The person's other hand; None where there is none.
    """

    action: int
    view: View
    other: Clip | None

    def scene_at(self, i: int) -> Scene:
        """Return the scene of a frame."""
        return replace(super().scene_at(i), other=self.other.scene_at(i).main if self.other else None)

    def reverse(self) -> 'ActionClip':
        """Play the clip backwards, as the other verb of its pair."""
        other = self.other and replace(self.other, **_backwards(self.other))
        return replace(self, **_backwards(self), other=other, action=self.action ^ 1)


def _backwards(clip: Clip) -> dict[str, Any]:
    path = clip.camera_path
    arrays = {name: getattr(clip, name)[::-1] for name in ('angles', 'gestures', 'frames', 'axes', 'offsets')}
    return arrays | dict(camera_path=CameraPath(path.axes[::-1], path.positions[::-1]))


def plan_action(
    action: int, person: Person, camera: Camera, time: np.ndarray, hands: int, poses: PoseSampler,
    rng: np.random.Generator,
) -> ActionClip:  # fmt: skip
    """Plan a clip. What is drawn at random depends on the action's object and pair of verbs, not on which of the two.

    Args:
        action: Index of :data:`ACTIONS`.
        person: Whose hands these are.
        camera: The camera.
        time: (N,) seconds, from 0.
        hands: 1 for a right hand that acts; 2 for both hands, either of which acts.
        poses: What to draw the other hand's poses from.
        rng: Random numbers.
    """
    obj, verb = divmod(action, len(VERBS))
    forward = action - verb % 2
    handedness: Handedness = 'left' if hands == 2 and rng.random() < 0.5 else 'right'
    lighting, head = random_lighting(rng), _head_path(time, rng)
    with_other, crosses = hands == 2 or rng.random() < OTHER_HAND_SHARE, rng.random() < CROSSING_SHARE
    best, chosen = -1.0, None
    for _ in range(_TRIES):
        main, held = _grasp(OBJECTS[obj], person, handedness, rng)
        clip = _carry(forward, main, held, person, camera, time, head, lighting, rng)
        inside = _share_inside(clip) if clip else -1.0
        if inside > best:
            best, chosen = inside, clip
        if best >= _INSIDE:
            break
    if chosen is None:
        raise RuntimeError(f'no path of {_TRIES} is clear of camera and table')
    if with_other:
        chosen = replace(chosen, other=_other_hand(chosen, person, crosses, time, poses, rng))
    return chosen.reverse() if verb % 2 else chosen


def random_person(models: Sequence[HandModel], one_shape: bool, rng: np.random.Generator) -> Person:
    """Draw a person."""
    return Person(
        model=models[int(rng.integers(len(models)))],
        shape=HandShape() if one_shape else random_shape(rng),
        skin=random_skin(rng),
        sleeve=float(rng.uniform(0.012, 0.13)) if rng.random() < SLEEVE_SHARE else None,
    )


def _head_path(time: np.ndarray, rng: np.random.Generator) -> CameraPath:
    """Draw how the head that bears the camera sways."""
    angles = sway(time, np.radians(rng.uniform(0.3, 1.6)), rng, (0.15, 1.5))
    return CameraPath(Rotation.from_rotvec(angles).as_matrix(), sway(time, rng.uniform(0.001, 0.008), rng))


def _random_view(rng: np.random.Generator, above: float) -> tuple[View, float]:
    """Draw the camera at rest, and its distance along its axis to what lies ``above`` the table."""
    pitch, distance = rng.uniform(*_PITCH), rng.uniform(*_DISTANCE)
    roll = Rotation.from_euler('z', rng.normal(0, _ROLL)).as_matrix()
    sine, cosine = np.sin(pitch), np.cos(pitch)
    right, ahead, up = np.array([[1.0, 0, 0], [0, -sine, cosine], [0, -cosine, -sine]]) @ roll.T
    return View(right, ahead, up, distance * sine + above), distance


def _grasp(
    kind: str, person: Person, handedness: Handedness, rng: np.random.Generator
) -> tuple[HandInScene, SceneObject]:
    """Draw a hand at rest in its own frame that holds an object."""
    for _ in range(_GRASP_TRIES * len(GRASPS)):
        name = str(rng.choice(GRASPS[kind]))
        angles = jitter_pose(GESTURES[name], _JITTER, rng).angles.copy()
        angles[-2:] = [rng.normal(*part) for part in _WRIST]
        pose = HandPose.clip(angles)
        if pose_penetration(pose, person.shape) > MAX_PENETRATION:
            continue
        hand = person.model.pose(pose, person.shape, handedness)
        held = held_object(hand, rng, kind)
        if held and _tips_near(hand, held) >= 2:
            at_rest = HandInScene(person.model, hand, pose, person.shape, name, np.eye(3), np.zeros(3), person.sleeve)
            return at_rest, held
    raise RuntimeError(f'no {kind} of {_GRASP_TRIES * len(GRASPS)} fits the hand')


def _tips_near(hand: PosedHand, obj: SceneObject) -> int:
    """Return how many fingertips are at an object."""
    tips = hand.keypoints[[ids[-1] for ids in FINGER_KEYPOINTS.values()]]
    distance = np.linalg.norm(tips[:, None] - obj.mesh.points, axis=2).min(1)
    return int((distance < _TIP_REACH).sum())


def _carry(
    action: int, main: HandInScene, held: SceneObject, person: Person, camera: Camera, time: np.ndarray,
    head: CameraPath, lighting: Lighting, rng: np.random.Generator,
) -> ActionClip | None:  # fmt: skip
    """Take a hand and its object along a random path of the action; None where it is not clear of the camera.

    All is drawn for a right hand. A left one and its camera are the mirror image.
    """
    left = main.hand.handedness == 'left'
    mirror = _MIRROR if left else np.eye(3)
    above = rng.uniform(*_ABOVE)
    view, distance = _random_view(rng, above)
    middle = distance * np.array([*rng.normal(0, _OFF_CENTRE / FOCAL, 2), 1])
    forearm = mirror @ main.hand.forearm[:3, :3] @ mirror
    obj = apply_matrix(held.mesh.points, mirror)
    keypoints = apply_matrix(main.hand.keypoints, mirror)
    palm = keypoints[_PALM].mean(0)
    along, pronation, axes = _orient(held.name, obj, palm, forearm, view, middle, rng)
    move, turn = _movement(VERBS[action % len(VERBS)], view, along, pronation, rng)
    progress = _progress(time, rng)
    bulge = rng.normal(0, 0.012, 3) * 4 * progress * (1 - progress)
    centres = middle + (progress - 0.5) * move + bulge + sway(time, rng.uniform(0.0004, 0.002), rng)
    turned = rotate(np.tile(axes, (len(time), 1, 1)), progress * turn)
    turned = rotate(turned, sway(time, np.radians(rng.uniform(0.2, 1.2)), rng))
    pivot = 0.5 * (obj.mean(0) + keypoints.mean(0))
    offsets = centres - turned @ pivot
    spheres = main.hand.spheres * [*mirror.diagonal(), 1]
    lowest = min(
        _lowest(obj, 0.0, turned, offsets, view.up), _lowest(spheres[:, :3], spheres[:, 3], turned, offsets, view.up)
    )
    view = replace(view, height=above - lowest)
    if left:
        view, turned, offsets = view.mirror(), mirror @ turned @ mirror, offsets @ mirror
    turned, offsets = head.to_moving_camera(turned, offsets)
    angles = np.tile(main.pose.angles, (len(time), 1))
    clip = ActionClip(
        base_scene=Scene(
            main=main, other=None, held=None, in_front=None, worn=(), skin=person.skin, camera=camera, lighting=lighting
        ),
        held=held,
        worn=(),
        angles=angles,
        gestures=[main.gesture] * len(time),
        frames=hand_frames(angles, main),
        axes=turned,
        offsets=offsets,
        camera_path=head,
        action=action,
        view=view,
        other=None,
    )
    return clip if _is_clear(clip) else None


def _orient(
    kind: str,
    obj: np.ndarray,
    palm: np.ndarray,
    forearm: np.ndarray,
    view: View,
    middle: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float, np.ndarray]:
    """Draw the forearm's direction (3,) and pronation of a right hand, and the axes (3, 3) of its palm.

    Of many pronations one is taken in which the object has its usual direction (a cup stands, a pen leans, a phone
    shows a face to the eyes) and the palm (3,) more or less does not hide it.
    """
    along, flat = _forearm(view, rng)
    pronations = rng.uniform(*_PRONATION, 24)
    axes = flat @ Rotation.from_euler('y', pronations[:, None]).as_matrix() @ forearm.T
    values, vectors = np.linalg.eigh(np.cov(obj.T))
    thin = kind == 'phone' or values[1] - values[0] > values[2] - values[1]
    directions = axes @ vectors[:, 0 if thin else 2]
    sight = middle / np.linalg.norm(middle)
    upright, to_eye = np.abs(directions @ view.up), np.abs(directions @ sight)
    fitness = {'cup': upright, 'pen': -np.abs(upright - 0.7), 'phone': to_eye, 'ball': 0 * upright}[kind]
    before_palm = -(axes @ (obj.mean(0) - palm)) @ sight / np.linalg.norm(obj.mean(0) - palm)
    i = int(np.argmax(fitness + rng.uniform(0, 0.9) * before_palm + rng.uniform(0, 0.2, len(fitness))))
    return along, float(pronations[i]), axes[i]


def _forearm(view: View, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the direction (3,) of a right forearm, and its axes (3, 3) with the palm down."""
    azimuth, elevation = rng.uniform(*_AZIMUTH), rng.uniform(*_ELEVATION)
    level = np.cos(elevation)
    along = view.axes @ [np.sin(azimuth) * level, np.cos(azimuth) * level, np.sin(elevation)]
    across = np.cross(along, view.up)
    across /= np.linalg.norm(across)
    return along, np.stack([across, along, np.cross(across, along)], axis=1)


def _movement(
    verb: str, view: View, along: np.ndarray, pronation: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the translation (3,) and the rotation vector (3,) of a path."""
    turn = rng.normal(0, _TURN, 3)
    if verb == 'tip':
        inwards = pronation > 0.5 * sum(_PRONATION)
        return rng.uniform(0, 0.04) * view.up, turn + (-1 if inwards else 1) * rng.uniform(*_TIP) * along
    length = rng.uniform(*_LENGTHS[verb])
    return length * {'lift': view.up, 'pull': -view.ahead}[verb], turn


def _progress(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the progress (N, 1) of a movement with rests before and after it, which are alike."""
    duration = min(rng.uniform(*_DURATION), 0.6 * time[-1])
    start = rng.uniform(0.2, 0.8) * (time[-1] - duration)
    return minimum_jerk((time - start) / duration)[:, None]


def _lowest(
    points: np.ndarray, radii: np.ndarray | float, axes: np.ndarray, offsets: np.ndarray, up: np.ndarray
) -> float:
    """Return the least height of points (P, 3) of a hand's frame with radii (P,) on its path."""
    heights = (up @ axes) @ points.T + (offsets @ up)[:, None] - radii
    return float(heights.min())


def _is_clear(clip: Clip) -> bool:
    """Whether arm, hand and object stay away from the camera."""
    forearms = clip.frames[:, FRAME_INDEX['forearm'], :3, 1]
    to_hand = np.einsum('ni,ni->n', clip.axes[:, 2], forearms)
    depth = clip.keypoints[..., 2].min()
    if clip.held:
        depth = min(depth, _lowest(clip.held.mesh.points, 0.0, clip.axes, clip.offsets, np.array([0, 0, 1.0])))
    return bool(arms_are_clear(to_hand, clip.offsets[:, 2]).all() and depth > _NEAREST)


def _share_inside(clip: Clip) -> float:
    """Return the share of keypoints in the image."""
    camera = clip.base_scene.camera
    pixels = camera.project(clip.keypoints.reshape(-1, 3))
    return float(((pixels >= 0) & (pixels <= camera.extent - 1)).all(1).mean())


def _other_hand(
    clip: ActionClip, person: Person, crosses: bool, time: np.ndarray, poses: PoseSampler, rng: np.random.Generator
) -> Clip:
    """Draw the other hand of a clip: it rests beside the acting one, or passes between it and the camera.

    Raises:
        RuntimeError: It is free of the other things in no place.
    """
    main = clip.base_scene.main
    handedness: Handedness = 'left' if main.hand.handedness == 'right' else 'right'
    mirror = _MIRROR if handedness == 'left' else np.eye(3)
    view = clip.view.mirror() if handedness == 'left' else clip.view
    path = clip.camera_path
    obstacles = _spheres_of(clip)
    goal = np.einsum('nij,nj->ni', path.axes, clip.keypoints.mean(1)) + path.positions  # in the camera at rest
    for attempt in range(_TRIES):
        if attempt % _PLACES == 0:
            name, pose = poses.sample(rng, main.shape)
            hand = person.model.pose(pose, person.shape, handedness)
            other = HandInScene(person.model, hand, pose, person.shape, name, np.eye(3), np.zeros(3), person.sleeve)
            angles, gestures = finger_motion(time, pose, name, person.shape, poses, rng)
            frames = hand_frames(angles, other)
        along, flat = _forearm(view, rng)
        forearms = mirror @ frames[:, FRAME_INDEX['forearm'], :3, :3] @ mirror
        axes = flat @ Rotation.from_euler('y', rng.uniform(-0.2, 1.8)).as_matrix() @ forearms.swapaxes(1, 2)
        axes = rotate(axes, sway(time, np.radians(rng.uniform(0.2, 2.0)), rng))
        beside = rng.uniform([0.1, -0.08, -0.05], [0.2, 0.06, 0.06]) + [0.004 * attempt, 0, 0]
        rest = apply_matrix(goal.mean(0)[None], mirror)[0] + view.axes @ beside
        centres = rest + sway(time, rng.uniform(0.001, 0.004), rng)
        if crosses and attempt < _TRIES // 2:
            rise, hold = rng.uniform(*_RISE), rng.uniform(0, 0.4)
            start = rng.uniform(0, max(time[-1] - 2 * rise - hold, 0.1))
            bump = minimum_jerk((time - start) / rise) - minimum_jerk((time - start - rise - hold) / rise)
            at = goal[int(np.searchsorted(time, start + rise + 0.5 * hold).clip(0, len(time) - 1))]
            near = rng.uniform(0.6, 0.78) * (apply_matrix(at[None], mirror)[0] + rng.normal(0, 0.02, 3))
            centres = centres + bump[:, None] * (near - rest)
        centre = apply_matrix(hand.keypoints, mirror).mean(0)
        axes, offsets = mirror @ axes @ mirror, (centres - axes @ centre) @ mirror
        axes, offsets = path.to_moving_camera(axes, offsets)
        moving = Clip(
            base_scene=replace(clip.base_scene, main=other),
            held=None,
            worn=(),
            angles=angles,
            gestures=gestures,
            frames=frames,
            axes=axes,
            offsets=offsets,
            camera_path=path,
        )
        if _is_clear(moving) and _is_free(moving, obstacles, clip.view):
            return moving
    raise RuntimeError(f'no place of {_TRIES} is free for the other hand')


def _spheres_of(clip: Clip) -> np.ndarray:
    """Spheres (N, P, 4) that roughly fill hand and object, in the camera's frame; fingers are as in the first pose."""
    spheres = clip.base_scene.main.hand.spheres
    if clip.held:
        points = clip.held.mesh.points[::5]
        spheres = np.concatenate([spheres, np.pad(points, ((0, 0), (0, 1)))])
    centres = spheres[:, :3] @ clip.axes.swapaxes(1, 2) + clip.offsets[:, None]
    return np.concatenate([centres, np.broadcast_to(spheres[:, 3:], (*centres.shape[:2], 1))], axis=2)


def _is_free(other: Clip, obstacles: np.ndarray, view: View) -> bool:
    """Whether a hand stays above the table and away from spheres (N, P, 4)."""
    spheres = _spheres_of(other)[::2]
    obstacles = obstacles[::2]
    path = other.camera_path
    at_rest = spheres[..., :3] @ path.axes[::2].swapaxes(1, 2) + path.positions[::2, None]
    if (at_rest @ view.up - spheres[..., 3]).min() < -view.height:
        return False
    distance = np.linalg.norm(spheres[:, :, None, :3] - obstacles[:, None, :, :3], axis=3)
    return bool((distance - spheres[:, :, None, 3] - obstacles[:, None, :, 3]).min() > _CLEARANCE)


class ActionMaker(ClipMaker):
    """Makes clips of actions. With V verbs, clip ``i`` shows person ``i // V`` and verb ``i % V``.

    Both verbs of a pair have the same object; over as many people as there are objects, each action occurs once.

    Args:
        hands: Labelled hands: 1, the right one, or 2.
        args: Arguments of :class:`ClipMaker`.
        settings: Arguments of :class:`ClipMaker`.
    """

    def __init__(self, hands: int, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.hands = hands
        self.camera = Camera(self.size, FOCAL * self.size, self.height)

    def plan(self, seed: int, index: int) -> ActionClip:
        """Plan a clip; see :class:`ClipMaker`."""
        who = np.random.default_rng([seed, index // len(VERBS), 4])
        person = random_person(self.models, self.scene_options['one_shape'], who)
        rng = np.random.default_rng([seed, index])
        return plan_action(action_of(index), person, self.camera, self.time, self.hands, self.poses, rng)

    def _label(self, scene: Scene, image: np.ndarray, rendering: Rendering, index: int) -> Sample:
        return SceneSample(
            image=image,
            mask=rendering.alpha,
            annotation={},
            camera={'K': scene.camera.matrix.tolist()},
            annotations=tuple(
                self._labels_of(scene, hand, rendering) | {'id': self.hands * index + k}
                for k, hand in enumerate(scene.hands[: self.hands])
            ),
        )

    def _move_background(self, clip: ActionClip, shutter: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield each frame's view of the table, with the shadows of hands and object."""
        camera, view, path = clip.base_scene.camera, clip.view, clip.camera_path
        texture = self._background(_TABLE_PIXELS, rng)
        step = _TABLE / _TABLE_PIXELS
        middle = (clip.offsets[0] @ path.axes[0].T) + path.positions[0]
        ground = middle - (middle @ view.up + view.height) * view.up
        to_table = np.array([[step, 0, -0.5 * _TABLE], [0, -step, 0.5 * _TABLE], [0, 0, 1]])
        plane = np.stack([view.right, view.ahead, ground], axis=1) @ to_table
        for i, (axes, position) in enumerate(zip(path.axes, path.positions, strict=True)):
            moved = plane - np.outer(position, [0, 0, 1])
            image = cv2.warpPerspective(
                texture, camera.matrix @ axes.T @ moved, camera.extent.tolist(), borderMode=cv2.BORDER_REFLECT_101
            )
            yield image * (1 - _SHADOW * _shadow(clip, i))[..., None]


def action_of(index: int) -> int:
    """Index of :data:`ACTIONS` of a clip."""
    person, verb = divmod(index, len(VERBS))
    return (person + verb // 2) % len(OBJECTS) * len(VERBS) + verb


def _shadow(clip: ActionClip, i: int) -> np.ndarray:
    """Draw the soft shadow (H, W), 0…1, of bones and object on the table."""
    camera, view, path = clip.base_scene.camera, clip.view, clip.camera_path
    up = path.axes[i].T @ view.up
    level = -view.height - view.up @ path.positions[i]
    lamps = clip.base_scene.lighting.lamps
    towards = path.axes[i].T @ lamps[0].direction if lamps else up
    towards = towards if towards @ up > _STEEPEST else up
    width, height = camera.extent
    shadow = np.zeros((height, width), np.float32)

    def cast(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shadows of points (N, 3): pixels (N, 2), and pixels (N,) a metre there."""
        ground = points - ((points @ up - level) / (towards @ up))[:, None] * towards
        depth = np.maximum(ground[:, 2:], _NEAREST)
        return np.rint(camera.focal * ground[:, :2] / depth + (camera.extent - 1) / 2).astype(
            int
        ), camera.focal / depth[:, 0]

    for moving in filter(None, (clip, clip.other)):
        arm = moving.offsets[i] - _ARM * moving.axes[i] @ moving.frames[i, FRAME_INDEX['forearm'], :3, 1]
        pixels, scale = cast(np.concatenate([moving.keypoints[i], [arm]]))
        for a, b in (*BONES, (0, len(pixels) - 1)):
            cv2.line(shadow, pixels[a].tolist(), pixels[b].tolist(), 1.0, max(1, round(_BONE_WIDTH * scale[a])))
        cv2.fillConvexPoly(shadow, cv2.convexHull(pixels[_PALM]), 1.0)
    centres = apply_matrix(clip.held.spheres[:, :3], clip.axes[i]) + clip.offsets[i]
    for pixel, scale, radius in zip(*cast(centres), clip.held.spheres[:, 3], strict=True):
        cv2.circle(shadow, pixel.tolist(), max(1, round(radius * scale)), 1.0, -1)
    return cv2.GaussianBlur(shadow, (0, 0), _SHADOW_BLUR * width)
