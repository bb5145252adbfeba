"""The motion of a hand in a clip: the fingers from pose to pose, and the hand before the camera."""

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from ..hand.kinematics import apply_matrix
from ..hand.pose import ANGLE_NAMES, HandPose
from ..hand.proxies import pose_penetration
from ..hand.shape import HandShape
from ..poses.sampler import MAX_PENETRATION, PoseSampler
from ..poses.thumbs import close_pinch
from ..rendering.camera import Camera, find_translation
from .motion import minimum_jerk, rotate, sway

ACTIVITY_SHARES = {'move': 0.55, 'still': 0.2, 'tap': 0.25}
"""Shares of what fingers do next: move to another pose, rest, or tap, in the air or thumb on finger."""
TAPPING = 'tapping'
"""Name of the gesture while a finger taps."""
RESTING_SHARE = 0.2
"""Share of clips in which the hand stays in its place, and only its fingers move."""

_SPEED = (80.0, 260.0)  # mean speed of the angle that changes most, degrees per second
_FASTEST_TAP = 300.0  # degrees per second
_LAG = 0.35  # largest delay between fingers, as a share of the movement's time
_TRIES = 10
_MOVING_SPEED = (0.06, 0.45)  # mean speed of the hand, metres per second
_ROTATION_SPEED = (30.0, 160.0)  # degrees per second
_EXTENT = (0.36, 0.9)  # range of the hand's size, as a share of the image's shorter side
_WANDER = 0.9  # share of the free space that the hand may move into
_SPREAD = 0.6  # spread of goals within these ranges
_ROTATION = np.radians([25, 25, 25, 45])  # standard deviation about the camera's axes and the forearm's length
_CORRELATION = np.array([0.7, 0.7, 0.7, 0.2, 0.8, 0.3, 0.3])  # of successive goals: these rotations, size, position
_FINGER_OF_ANGLE = np.array([
    (*FINGERS, 'palm', 'wrist').index(name.split('_')[0]) for name in ANGLE_NAMES
])  # fmt: skip


class FingerPlan:
    """Movements of fingers one after the other at times (N,), from a pose on; none passes through another."""

    def __init__(self, time: np.ndarray, first: HandPose, name: str, shape: HandShape) -> None:
        self.time, self.shape = time, shape
        self.pose, self.name = first, name
        self.angles = np.tile(first.angles, (len(time), 1))
        self.names = np.full(len(time), name, dtype=object)
        self.end = 0.0

    def move_to(self, pose: HandPose, name: str, duration: float, rng: np.random.Generator, lag: float = _LAG) -> bool:
        """Move to a pose, and return whether this was possible without fingers passing through each other."""
        allowed = max(MAX_PENETRATION, float(pose_penetration(self.pose, self.shape)))
        for _ in range(_TRIES):  # fingers start at different times, as people's do: some orders free a thumb
            passed = (self.time[:, None] - self.end) / duration
            share = minimum_jerk((passed - rng.uniform(0, lag, 7)) / (1 - lag))[:, _FINGER_OF_ANGLE]
            angles = self.angles + share * (pose.angles - self.pose.angles)
            while_moving = (passed[:, 0] > 0) & (passed[:, 0] < 1)
            checked = np.concatenate([angles[while_moving], [pose.angles]])
            if pose_penetration(checked, self.shape).max() <= allowed:
                self.angles, self.pose, self.name = angles, pose, name
                self.names[passed[:, 0] > 0.5] = name
                self.end += duration
                return True
        return False


def finger_motion(
    time: np.ndarray, first: HandPose, name: str, shape: HandShape, poses: PoseSampler, rng: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    """Move fingers and wrist from a pose through activities of :data:`ACTIVITY_SHARES`, at times (N,) from 0.

    Returns:
        Joint angles (N, 24) in degrees, and the gesture at each time: the last pose or the next, whichever is nearer.
    """
    plan = FingerPlan(time, first, name, shape)
    while plan.end < time[-1]:
        activity = str(rng.choice(list(ACTIVITY_SHARES), p=list(ACTIVITY_SHARES.values())))
        if activity == 'tap':
            _tap(plan, rng)
        elif activity == 'move':
            other, pose = poses.sample(rng, shape)
            duration = float(np.abs(pose.angles - plan.pose.angles).max()) / rng.uniform(*_SPEED)
            plan.move_to(pose, other, max(duration, 0.2), rng)
        if activity == 'still' or rng.random() < 0.4:
            plan.end += rng.uniform(0.15, 0.8)
    return plan.angles, plan.names.tolist()


def _tap(plan: FingerPlan, rng: np.random.Generator) -> None:
    """Tap two to five times with a finger: on the thumb's pad, or lifted as from a table."""
    start, name, finger = plan.pose, plan.name, str(rng.choice(LONG_FINGERS))
    if rng.random() < 0.5:
        other = close_pinch(start, [finger], plan.shape)
    else:
        angles = start.angles.copy()
        angles[ANGLE_NAMES.index(f'{finger}_mcp')] += rng.choice([-1, 1]) * rng.uniform(15, 40)
        other = HandPose.clip(angles)
    half = max(0.5 / rng.uniform(1.5, 4.5), float(np.abs(other.angles - start.angles).max()) / _FASTEST_TAP)
    for _ in range(int(rng.integers(2, 6))):
        there = plan.move_to(other, TAPPING, half, rng, lag=0.1)
        if not (there and plan.move_to(start, name, half, rng, lag=0.1)):
            return


def hand_path(
    time: np.ndarray,
    keypoints: np.ndarray,
    forearms: np.ndarray,
    axes: np.ndarray,
    camera: Camera,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Move a hand from place to place before a camera at rest, with sway, at times (N,).

    Goals follow an autoregressive process, so that size, position and rotation have the same distribution at any time
    of a clip. The forearm is what rotates and moves, so that a bent wrist moves the hand and not the arm.

    Args:
        keypoints: (N, 21, 3) in the palm's frame.
        forearms: (N, 3, 3) axes of the forearm in the palm's frame.
        axes: (3, 3) mean rotation from the palm's frame to the camera's.

    Returns:
        Rotations (N, 3, 3) and translations (N, 3) from the palm's frame to the camera's.
    """
    middle = Rotation.from_matrix(axes @ forearms[0])
    shorter, (least, greatest) = camera.extent.min(), _EXTENT

    def rotate_forearm(angles: np.ndarray) -> np.ndarray:
        """Rotate the forearm's axes about its length, then about the camera's axes, by (N, 4) radians; (N, 3, 3)."""
        about_length = Rotation.from_rotvec(angles[:, 3:] * [0, 1, 0])
        return (Rotation.from_rotvec(angles[:, :3]) * middle * about_length).as_matrix()

    def place(goal: np.ndarray, i: int) -> np.ndarray:
        """Return the translation (3,) at which the hand of time ``i`` has the goal's rotation, size and position."""
        within = np.tanh(_SPREAD * goal[4:])
        extent = shorter * (least + (greatest - least) * (1 + within[0]) / 2)
        centre = (camera.extent - 1) / 2 + _WANDER * within[1:] * (camera.extent - extent) / 2
        rotated = apply_matrix(keypoints[i], rotate_forearm(goal[None, :4])[0] @ forearms[i].T)
        return find_translation(rotated, camera, centre, extent)

    deviation = np.array([*_ROTATION, 1, 1, 1])
    goal = deviation * rng.standard_normal(7)
    at = place(goal, 0)
    angles, offsets, end = np.tile(goal[:4], (len(time), 1)), np.tile(at, (len(time), 1)), 0.0
    rests = rng.random() < RESTING_SHARE
    while end < time[-1] and not rests:
        end += rng.uniform(0.2, 0.8) if rng.random() < 0.35 else 0.0
        other = _CORRELATION * goal + np.sqrt(1 - _CORRELATION**2) * deviation * rng.standard_normal(7)
        if rng.random() < 0.7:  # else it rotates about the forearm's length, as to show palm and back
            other[3] = goal[3]
        to = place(other, min(int(np.searchsorted(time, end + 0.6)), len(time) - 1))
        moving = np.linalg.norm(to - at) / rng.uniform(*_MOVING_SPEED)
        rotating = np.degrees(np.linalg.norm(other[:4] - goal[:4])) / rng.uniform(*_ROTATION_SPEED)
        duration = float(np.clip(max(moving, rotating), 0.3, 2.5))
        share = minimum_jerk((time - end) / duration)[:, None]
        offsets, angles = offsets + share * (to - at), angles + share * (other - goal)[:4]
        # the next movement may begin before this one has ended
        goal, at, end = other, to, end + duration * rng.uniform(0.75, 1.0)
    arms = rotate(rotate_forearm(angles), sway(time, np.radians(rng.uniform(0.1, 1.0)), rng))
    offsets = offsets + sway(time, rng.uniform(0.0003, 0.002), rng)
    return arms @ forearms.swapaxes(1, 2), offsets
