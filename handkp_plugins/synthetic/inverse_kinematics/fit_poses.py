"""Inverse kinematics: recorded keypoints of hands → joint angles, by bounded Levenberg-Marquardt on many hands at once.

Each hand starts from the best of a bank of poses (and views, in two dimensions). Two dimensions mean weak perspective,
which leaves the bend of a finger towards and away from the camera open: mild wishes for natural poses decide, and in a
recorded sequence the frames before and after. A left hand is fitted as the mirror image of a right one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..hand.pose import ANGLE_NAMES, HIGH, LOW
from . import model as fm
from .levenberg_marquardt import State, Wish, refined
from .starts import starts

NOISE = {2: 0.002, 3: 0.0015}
"""Metres by which recorded keypoints of two and three dimensions may be taken to be off, on a hand of average size."""
_TRUST = np.ones(NUM_KEYPOINTS)
_TRUST[[0, 1]] = 0.6, 0.5  # data sets mark the wrist and the thumb's root at different places
_CHUNK = 256
_FIRST_STEPS, _STEPS = 8, 40
_SMOOTHINGS = 2
_SMOOTH = np.radians(8.0)  # how much angles change from frame to frame, give or take
_STILL = 0.05  # hand lengths that keypoints move between frames of one shot


@dataclass(frozen=True)
class FittedPoses:
    """What :func:`fit_poses` found for N hands.

    Args:
        angles: (N, 24) degrees within the limits; the wrist's two are zero, as keypoints do not show them.
        residual: (N,) root of the mean squared distance between keypoints given and fitted (z as far as it is
            trusted), as a share of the hand's length from the wrist to the tip of the straight middle finger.
        keypoints: (N, 21, D) fitted, in the units given.
        is_left: (N,) whether it was fitted as a left hand. In two dimensions a left and a right hand in the same pose
            can look the same, so there it says nothing.
        views: (N, 3, 3) rotations from the palm's frame to the camera's, of a left hand those of its mirror image.
    """

    angles: np.ndarray
    residual: np.ndarray
    keypoints: np.ndarray
    is_left: np.ndarray
    views: np.ndarray


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
            camera, as pictures have them.
        handedness: which hands they are; 'auto' tries both, and takes what fits better. Without effect in two
            dimensions, see :class:`FittedPoses`.
        sequence: whether the rows are frames of recordings in order, so that neighbours help. Cuts are noticed.
        depth_trust: factor of errors in z, below 1 where depth is a guess.
        noise: metres (on a hand of average size) by which keypoints may be off; None for :data:`NOISE`.
        progress: called with the number of hands just fitted.

    Raises:
        ValueError: wrong shape, keypoints that are not finite or all in one place (the row is named), or an option
            out of range.
    """
    keypoints = np.array(keypoints, dtype=float)
    if keypoints.ndim != 3 or keypoints.shape[1] != NUM_KEYPOINTS or keypoints.shape[2] not in (2, 3):
        raise ValueError(f'keypoints: expected shape (N, {NUM_KEYPOINTS}, 2 or 3), got {keypoints.shape}')
    wrong = ~np.isfinite(keypoints).all((1, 2))
    if wrong.any():
        raise ValueError(f'keypoints: expected finite numbers, got others in row {np.flatnonzero(wrong)[0]}')
    centre = keypoints.mean(1, keepdims=True)
    radius = np.sqrt(((keypoints - centre) ** 2).sum(2).mean(1))[:, None, None]
    wrong = radius[:, 0, 0] <= 1e-9 * (1 + np.abs(keypoints).max((1, 2)))
    if wrong.any():
        raise ValueError(f'keypoints: expected 21 places, got one for all in row {np.flatnonzero(wrong)[0]}')
    if handedness not in ('left', 'right', 'auto'):
        raise ValueError(f"handedness: expected 'left', 'right' or 'auto', got {handedness!r}")
    dims = keypoints.shape[2]
    noise = NOISE[dims] if noise is None else noise
    if not (noise > 0 and depth_trust >= 0):
        raise ValueError(f'expected noise above 0 and depth_trust of 0 or more, got {noise} and {depth_trust}')
    sides = [False] if dims == 2 else {'left': [True], 'right': [False], 'auto': [False, True]}[handedness]
    states, fitted = [], []
    for is_left in sides:
        mirror = np.array([-1.0 if is_left else 1.0, 1, 1])[:dims]
        targets = (keypoints - centre) / radius * mirror
        state = _fit(targets, noise, depth_trust, sequence, lambda done: progress(done / len(sides)))
        states.append(state)
        fitted.append(fm.seen_points(state.parameters, state.turns)[0][..., :dims] * mirror)
    is_left = np.full(len(keypoints), sides[0])
    best, points = states[0], fitted[0]
    if len(sides) == 2:
        is_left = states[1].cost < states[0].cost
        best, points = best.better(states[1]), np.where(is_left[:, None, None], fitted[1], fitted[0])
    seen = np.array([1, 1, depth_trust])[:dims]
    error = np.sqrt((((points - (keypoints - centre) / radius) * seen) ** 2).sum(2).mean(1))
    angles = np.zeros((len(keypoints), len(ANGLE_NAMES)))
    angles[:, : fm.NUM_ANGLES] = np.degrees(best.parameters[:, : fm.NUM_ANGLES])
    return FittedPoses(
        angles=np.clip(angles, LOW, HIGH),
        residual=error / (fm.HAND_LENGTH * np.exp(best.parameters[:, fm.SCALE])),
        keypoints=points * radius + centre,
        is_left=is_left,
        views=best.turns,
    )


def _fit(
    targets: np.ndarray, noise: float, depth_trust: float, sequence: bool, progress: Callable[[float], None]
) -> State:
    """The best state of right hands for keypoints (N, 21, D) that are centred and of radius 1."""
    share = 1 / (1 + _SMOOTHINGS) if sequence else 1.0
    weights, states = np.ones_like(targets) * _TRUST[:, None] / noise, []
    weights[..., 2:] *= depth_trust
    wish = Wish(targets, weights, np.zeros((len(targets), fm.NUM_ANGLES)), np.zeros(len(targets)))
    for rows in _chunks(len(targets)):
        candidates = starts(targets[rows])
        weights[rows] /= np.exp(candidates[0].parameters[:, fm.SCALE])[:, None, None]
        first = [refined(start, wish[rows], _FIRST_STEPS) for start in candidates]
        states.append(refined(reduce(State.better, first), wish[rows], _STEPS))
        progress(share * len(rows))
    state = State.joined(states)
    for _ in range(_SMOOTHINGS if sequence else 0):
        state = _smoothed(state, wish, lambda done: progress(share * done))
    return state


def _chunks(count: int) -> list[np.ndarray]:
    return np.array_split(np.arange(count), max(1, -(-count // _CHUNK)))


def _smoothed(state: State, wish: Wish, progress: Callable[[int], None]) -> State:
    """Every frame fitted again, from its own state and its neighbours', with angles drawn to the neighbours'."""
    length = fm.HAND_LENGTH * np.exp(state.parameters[:, fm.SCALE])
    moved = np.sqrt(((wish.keypoints[1:] - wish.keypoints[:-1]) ** 2).sum(2).mean(1)) / length[1:]
    near = np.concatenate([[0.0], np.exp(-((moved / _STILL) ** 2)), [0.0]])  # none before the first or after the last
    angles = state.parameters[:, : fm.NUM_ANGLES]
    total = near[:-1] + near[1:]
    mean = near[:-1, None] * np.roll(angles, 1, 0) + near[1:, None] * np.roll(angles, -1, 0)
    wish = replace(wish, angles=mean / np.maximum(total, 1e-9)[:, None], pull=0.5 * total / _SMOOTH**2)
    out = []
    for rows in _chunks(len(angles)):
        neighbours = (np.maximum(rows - 1, 0), np.minimum(rows + 1, len(angles) - 1))
        first = [refined(state[other], wish[rows], _FIRST_STEPS) for other in (rows, *neighbours)]
        out.append(refined(reduce(State.better, first), wish[rows], _STEPS))
        progress(len(rows))
    return State.joined(out)
