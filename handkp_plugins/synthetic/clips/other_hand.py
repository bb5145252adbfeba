"""The other hand of clips of actions, which rests beside the acting one or hides it for a while. Metres, seconds."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.kinematics import FRAME_INDEX, apply_matrix
from ..hand.model import Handedness
from ..poses.sampler import PoseSampler
from ..scenes.scene import HandInScene
from .actions import ActionClip, Person
from .carrying import is_clear, random_forearm
from .clip import Clip, hand_frames
from .hand_motion import finger_motion
from .motion import minimum_jerk, rotate, sway
from .viewpoint import MIRROR, View

_PLACES = 10  # tried for each motion of the other hand's fingers
_CLEARANCE = 0.004
_RISE = (0.3, 0.5)
TRIES = 60


def move_other_hand(
    clip: ActionClip, person: Person, crosses: bool, time: np.ndarray, poses: PoseSampler, rng: np.random.Generator
) -> Clip:
    """Draw the other hand of a clip: it rests beside the acting one, or passes between it and the camera.

    Raises:
        RuntimeError: It is free of the other things in no place.
    """
    main = clip.base_scene.main
    handedness: Handedness = 'left' if main.hand.handedness == 'right' else 'right'
    mirror = MIRROR if handedness == 'left' else np.eye(3)
    view = clip.view.mirror() if handedness == 'left' else clip.view
    path = clip.camera_path
    obstacles = _spheres_of(clip)
    goal = np.einsum('nij,nj->ni', path.axes, clip.keypoints.mean(1)) + path.positions  # in the camera at rest
    for attempt in range(TRIES):
        if attempt % _PLACES == 0:
            name, pose = poses.sample(rng, main.shape)
            hand = person.model.pose(pose, person.shape, handedness)
            other = HandInScene(person.model, hand, pose, person.shape, name, np.eye(3), np.zeros(3), person.sleeve)
            angles, gestures = finger_motion(time, pose, name, person.shape, poses, rng)
            frames = hand_frames(angles, other)
        along, flat = random_forearm(view, rng)
        forearms = mirror @ frames[:, FRAME_INDEX['forearm'], :3, :3] @ mirror
        axes = flat @ Rotation.from_euler('y', rng.uniform(-0.2, 1.8)).as_matrix() @ forearms.swapaxes(1, 2)
        axes = rotate(axes, sway(time, np.radians(rng.uniform(0.2, 2.0)), rng))
        beside = rng.uniform([0.1, -0.08, -0.05], [0.2, 0.06, 0.06]) + [0.004 * attempt, 0, 0]
        rest = apply_matrix(goal.mean(0)[None], mirror)[0] + view.axes @ beside
        centres = rest + sway(time, rng.uniform(0.001, 0.004), rng)
        if crosses and attempt < TRIES // 2:
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
            axes=axes,
            offsets=offsets,
            camera_path=path,
        )
        if is_clear(moving) and _is_free(moving, obstacles, clip.view):
            return moving
    raise RuntimeError(f'no place of {TRIES} is free for the other hand')


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
