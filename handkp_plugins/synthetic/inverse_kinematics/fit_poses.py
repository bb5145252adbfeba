"""Inverse kinematics: recorded keypoints of hands → joint angles, by bounded Levenberg-Marquardt on many hands at once.

Each hand starts from the best of a bank of poses (and views, in two dimensions). Two dimensions mean weak perspective,
which does not show whether a finger bends towards the camera or away: a weak prior over poses decides, and in a
recorded sequence the frames before and after. A left hand is fitted as the mirror image of a right one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..hand.pose import ANGLE_NAMES, HIGH, LOW
from .initial_states import initial_states
from .levenberg_marquardt import State, Target, levenberg_marquardt
from .model import HAND_LENGTH, NUM_ANGLES, SCALE, camera_keypoints_and_slopes

NOISE = {2: 0.002, 3: 0.0015}
"""Default error of recorded keypoints of two and three dimensions, in metres on a hand of average size."""
_KEYPOINT_WEIGHTS = np.ones(NUM_KEYPOINTS)
_KEYPOINT_WEIGHTS[[0, 1]] = 0.6, 0.5  # data sets mark the wrist and the thumb's root at different places
_BATCH = 256
_START_STEPS, _STEPS = 8, 40
_SMOOTHING_ROUNDS = 2
_ANGLE_CHANGE = np.radians(8.0)  # deviation of angles from frame to frame
_MAX_MOTION = 0.05  # hand lengths that keypoints move between frames of one shot


@dataclass(frozen=True)
class FittedPoses:
    """What :func:`fit_poses` found for N hands."""

    angles: np.ndarray  # (N, 24) degrees; the wrist's two are zero, as keypoints do not show them
    residual: np.ndarray  # (N,) RMS distance between keypoints and fit, as a share of :data:`.model.HAND_LENGTH`
    keypoints: np.ndarray  # (N, 21, D) of the fit, in the units of the input
    is_left: np.ndarray  # (N,) fitted as a left hand; never in two dimensions, where both can look the same
    views: np.ndarray  # (N, 3, 3) rotations from the palm's frame, of a left hand its mirror image's, to the camera's


def fit_poses(
    keypoints: np.ndarray,
    handedness: Literal['left', 'right', 'auto'] = 'auto',
    sequence: bool = False,
    depth_trust: float = 1.0,
    noise: float | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FittedPoses:
    """Fit a pose, a view and a few lengths (of the five fingers and the palm) to each hand's keypoints.

    Args:
        keypoints: (N, 21, 3) or (N, 21, 2) in this package's order and any unit; x right, y down and z away from the
            camera, as in images.
        handedness: Which hands they are; 'auto' tries both and takes the better fit. Not used in two dimensions.
        sequence: Whether the rows are frames of recordings in order, so that neighbours help. Cuts are detected.
        depth_trust: Weight of errors in z, below 1 where depth is a guess.
        noise: Error of the keypoints in metres on a hand of average size; None for :data:`NOISE`.
        progress: Called with the number of hands just fitted.
    """
    keypoints = np.array(keypoints, dtype=float)
    centre, radius = _centre_and_radius(keypoints)
    dims, targets = keypoints.shape[2], (keypoints - centre) / radius
    if handedness not in ('left', 'right', 'auto'):
        raise ValueError(f"handedness: expected 'left', 'right' or 'auto', got {handedness!r}")
    noise = NOISE[dims] if noise is None else noise
    if not (noise > 0 and depth_trust >= 0):
        raise ValueError(f'expected noise above 0 and depth_trust of 0 or more, got {noise} and {depth_trust}')
    signs = [1] if dims == 2 else {'left': [-1], 'right': [1], 'auto': [1, -1]}[handedness]
    states = [
        _fit(targets * [sign, 1, 1][:dims], noise, depth_trust, sequence, lambda done: progress(done / len(signs)))
        for sign in signs
    ]
    best = reduce(State.minimum, states)
    is_left = (best.cost < states[0].cost) | (signs[0] < 0)
    points = camera_keypoints_and_slopes(best.parameters, best.rotations)[0][..., :dims]
    points[is_left, :, 0] *= -1
    error = np.sqrt((((points - targets) * [1, 1, depth_trust][:dims]) ** 2).sum(2).mean(1))
    angles = np.degrees(np.pad(best.parameters[:, :NUM_ANGLES], ((0, 0), (0, len(ANGLE_NAMES) - NUM_ANGLES))))
    return FittedPoses(
        angles=np.clip(angles, LOW, HIGH),
        residual=error / _hand_lengths(best),
        keypoints=points * radius + centre,
        is_left=is_left,
        views=best.rotations,
    )


def _centre_and_radius(keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean (N, 1, D) and the root mean square distance from it (N, 1, 1) of keypoints, which are checked."""
    if keypoints.ndim != 3 or keypoints.shape[1] != NUM_KEYPOINTS or keypoints.shape[2] not in (2, 3):
        raise ValueError(f'keypoints: expected shape (N, {NUM_KEYPOINTS}, 2 or 3), got {keypoints.shape}')
    wrong = ~np.isfinite(keypoints).all((1, 2))
    if wrong.any():
        raise ValueError(f'keypoints: expected finite numbers, got others in row {np.flatnonzero(wrong)[0]}')
    centre = keypoints.mean(1, keepdims=True)
    radius = np.sqrt(((keypoints - centre) ** 2).sum(2).mean(1))
    wrong = radius <= 1e-9 * (1 + np.abs(keypoints).max((1, 2)))
    if wrong.any():
        raise ValueError(f'keypoints: expected 21 places, got one for all in row {np.flatnonzero(wrong)[0]}')
    return centre, radius[:, None, None]


def _hand_lengths(state: State) -> np.ndarray:
    return HAND_LENGTH * np.exp(state.parameters[:, SCALE])


def _fit(
    targets: np.ndarray, noise: float, depth_trust: float, sequence: bool, progress: Callable[[float], None]
) -> State:
    """The best state of right hands for keypoints (N, 21, D) that are centred and of radius 1."""
    share = 1 / (1 + _SMOOTHING_ROUNDS) if sequence else 1.0
    weights, states = np.ones_like(targets) * _KEYPOINT_WEIGHTS[:, None] / noise, []
    weights[..., 2:] *= depth_trust
    target = Target(targets, weights, np.zeros((len(targets), NUM_ANGLES)), np.zeros(len(targets)))
    for rows in _batches(len(targets)):
        candidates = initial_states(targets[rows])
        weights[rows] /= np.exp(candidates[0].parameters[:, SCALE])[:, None, None]
        states.append(_best_of(candidates, target[rows]))
        progress(share * len(rows))
    state = State.concatenate(states)
    for _ in range(_SMOOTHING_ROUNDS if sequence else 0):
        state = _smooth(state, target, lambda done: progress(share * done))
    return state


def _batches(count: int) -> list[np.ndarray]:
    return np.array_split(np.arange(count), max(1, -(-count // _BATCH)))


def _best_of(candidates: list[State], target: Target) -> State:
    """A few steps from each candidate, then all steps from the best one of each hand."""
    first = [levenberg_marquardt(candidate, target, _START_STEPS) for candidate in candidates]
    return levenberg_marquardt(reduce(State.minimum, first), target, _STEPS)


def _smooth(state: State, target: Target, progress: Callable[[int], None]) -> State:
    """Fit each frame again, from its own state and its neighbours', with angles drawn to the neighbours'."""
    motion = np.sqrt(((target.keypoints[1:] - target.keypoints[:-1]) ** 2).sum(2).mean(1)) / _hand_lengths(state)[1:]
    near = np.concatenate([[0.0], np.exp(-((motion / _MAX_MOTION) ** 2)), [0.0]])  # the ends have one neighbour
    angles = state.parameters[:, :NUM_ANGLES]
    total = near[:-1] + near[1:]
    mean = near[:-1, None] * np.roll(angles, 1, 0) + near[1:, None] * np.roll(angles, -1, 0)
    mean /= np.maximum(total, 1e-9)[:, None]
    target = replace(target, angles=mean, angle_weight=0.5 * total / _ANGLE_CHANGE**2)
    states = []
    for rows in _batches(len(angles)):
        neighbours = (np.maximum(rows - 1, 0), np.minimum(rows + 1, len(angles) - 1))
        states.append(_best_of([state[other] for other in (rows, *neighbours)], target[rows]))
        progress(len(rows))
    return State.concatenate(states)
