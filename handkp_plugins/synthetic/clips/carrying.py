"""The acting hand of clips of actions: how it holds an object, and its path with the object. Metres, radians."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS

from ..hand.kinematics import FRAME_INDEX, apply_matrix
from ..hand.model import Handedness, PosedHand
from ..hand.pose import HandPose
from ..hand.proxies import pose_penetration
from ..poses.gestures import GESTURES
from ..poses.sampler import MAX_PENETRATION, jitter_pose
from ..rendering.camera import Camera
from ..rendering.lights import Lighting
from ..scenes.grasp import SceneObject, held_object
from ..scenes.scene import HandInScene, Scene
from ..scenes.views import arms_are_clear
from .actions import FOCAL, GRASPS, VERBS, ActionClip, Person
from .clip import Clip
from .motion import CameraPath, minimum_jerk, rotate, sway
from .viewpoint import MIRROR, NEAREST, View, random_view

_PALM = [0, 1, 5, 9, 13, 17]
_GRASP_TRIES = 24
_TIP_REACH = 0.025  # from the keypoint of a fingertip that holds an object to its mesh
_JITTER = 3.0  # degrees, of a grasp's joints
_WRIST = ((-12, 12), (4, 6))  # mean and deviation of flexion and deviation, degrees
_AZIMUTH, _ELEVATION = np.radians([-62, -14]), np.radians([-12, 32])  # of a right forearm, from straight ahead
_PRONATION = np.radians([-10, 150])  # palm down 0, thumb up 90
_OFF_CENTRE = 0.09  # deviation of that middle in the image, as a share of its width
_LENGTHS = {'lift': (0.08, 0.15), 'pull': (0.08, 0.15)}
_TIP = np.radians([45, 80])
_TURN = np.radians(8)  # deviation of the rotation that goes with any path
_ABOVE = (0.0, 0.06)  # from the table to the lowest point of hand and object
_DURATION = (0.75, 1.25)


def grasp_object(
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


def carry(
    action: int, main: HandInScene, held: SceneObject, person: Person, camera: Camera, time: np.ndarray,
    head: CameraPath, lighting: Lighting, rng: np.random.Generator,
) -> ActionClip | None:  # fmt: skip
    """Take a hand and its object along a random path of the action; None where it is not clear of the camera.

    All is drawn for a right hand. A left one and its camera are the mirror image.
    """
    left = main.hand.handedness == 'left'
    mirror = MIRROR if left else np.eye(3)
    above = rng.uniform(*_ABOVE)
    view, distance = random_view(rng, above)
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
        axes=turned,
        offsets=offsets,
        camera_path=head,
        action=action,
        view=view,
        other=None,
    )
    return clip if is_clear(clip) else None


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
    along, flat = random_forearm(view, rng)
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


def random_forearm(view: View, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
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


def is_clear(clip: Clip) -> bool:
    """Whether arm, hand and object stay away from the camera."""
    forearms = clip.frames[:, FRAME_INDEX['forearm'], :3, 1]
    to_hand = np.einsum('ni,ni->n', clip.axes[:, 2], forearms)
    depth = clip.keypoints[..., 2].min()
    if clip.held:
        depth = min(depth, _lowest(clip.held.mesh.points, 0.0, clip.axes, clip.offsets, np.array([0, 0, 1.0])))
    return bool(arms_are_clear(to_hand, clip.offsets[:, 2]).all() and depth > NEAREST)


def share_inside(clip: Clip) -> float:
    """Return the share of keypoints in the image."""
    camera = clip.base_scene.camera
    pixels = camera.project(clip.keypoints.reshape(-1, 3))
    return float(((pixels >= 0) & (pixels <= camera.extent - 1)).all(1).mean())
