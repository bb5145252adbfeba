"""Bounded Levenberg-Marquardt on many hands at once; the legend is that of ``fitting_model``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .model import HIGHEST, LOWEST, NATURAL, NUM_ANGLES, NUM_PARAMETERS, PLACE, TURN, seen_points, turned

_ENOUGH = 1e-4  # share of the cost that a step must save, or else it was the last one
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-7, 1e4


@dataclass(frozen=True)
class State:
    """Parameters (B, P), rotations (B, 3, 3) and costs (B,) of B hands."""

    parameters: np.ndarray
    turns: np.ndarray
    cost: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> 'State':
        return State(self.parameters[rows], self.turns[rows], self.cost[rows])

    def better(self, other: 'State') -> 'State':
        """Of each hand the one that costs less."""
        take = other.cost < self.cost
        return State(
            np.where(take[:, None], other.parameters, self.parameters),
            np.where(take[:, None, None], other.turns, self.turns),
            np.where(take, other.cost, self.cost),
        )

    @staticmethod
    def joined(states: Sequence['State']) -> 'State':
        """All hands of several states, in order."""
        return State(*(np.concatenate([getattr(s, name) for s in states]) for name in State.__dataclass_fields__))


@dataclass(frozen=True)
class Wish:
    """What B hands shall meet.

    Args:
        keypoints: (B, 21, D).
        weights: (B, 21, D) of their errors.
        angles: (B, 22) radians that the angles are drawn to.
        pull: (B,) how strongly, per squared radian.
    """

    keypoints: np.ndarray
    weights: np.ndarray
    angles: np.ndarray
    pull: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> 'Wish':
        return Wish(self.keypoints[rows], self.weights[rows], self.angles[rows], self.pull[rows])


def refined(state: State, wish: Wish, steps: int) -> State:
    """The state after at most so many steps, hands that are done left out; costs in ``state`` are not read."""
    parameters, turns = state.parameters.copy(), state.turns.copy()
    cost, gradient, hessian = _expanded(parameters, turns, wish)
    damping = np.full(len(cost), _DAMPING)
    going = np.arange(len(cost))
    for _ in range(steps):
        if not len(going):
            break
        step = _step(parameters[going], gradient[going], hessian[going], damping[going])
        trial = parameters[going] + step
        trial[:, TURN] = 0
        trial = np.clip(trial, LOWEST, HIGHEST)
        trial_turns = turned(turns[going], step[:, TURN])
        trial_cost, trial_gradient, trial_hessian = _expanded(trial, trial_turns, wish[going])
        good = trial_cost < cost[going]
        done = good & (cost[going] - trial_cost < _ENOUGH * cost[going])
        rows = going[good]
        parameters[rows], turns[rows], cost[rows] = trial[good], trial_turns[good], trial_cost[good]
        gradient[rows], hessian[rows] = trial_gradient[good], trial_hessian[good]
        damping[going] = np.maximum(damping[going] * np.where(good, 0.2, 5.0), _LEAST_DAMPING)
        going = going[~done & (damping[going] < _MOST_DAMPING)]
    return State(parameters, turns, cost)


def _expanded(parameters: np.ndarray, turns: np.ndarray, wish: Wish) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half the cost (B,), its gradient (B, P) and Gauss and Newton's approximation of its Hessian (B, P, P)."""
    count, joints, dims = wish.keypoints.shape
    points, slopes = seen_points(parameters, turns)
    errors = ((points[..., :dims] - wish.keypoints) * wish.weights).reshape(count, joints * dims, 1)
    slopes = (slopes[:, :, :dims] * wish.weights[..., None]).reshape(count, joints * dims, NUM_PARAMETERS)
    across = slopes.swapaxes(1, 2)
    matrix, sums = NATURAL
    unnatural = parameters @ matrix.T - sums
    drawn = parameters[:, :NUM_ANGLES] - wish.angles
    cost = 0.5 * ((errors**2).sum((1, 2)) + (unnatural**2).sum(1) + wish.pull * (drawn**2).sum(1))
    gradient = (across @ errors)[..., 0] + unnatural @ matrix
    gradient[:, :NUM_ANGLES] += wish.pull[:, None] * drawn
    hessian = across @ slopes + matrix.T @ matrix
    angle = np.arange(NUM_ANGLES)
    hessian[:, angle, angle] += wish.pull[:, None]
    return cost, gradient, hessian


def _step(parameters: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Steps (B, P); parameters at a limit that the cost drives beyond it stay."""
    stuck = ((parameters <= LOWEST) & (gradient > 0)) | ((parameters >= HIGHEST) & (gradient < 0))
    free = ~stuck
    matrix = hessian * (free[:, :, None] & free[:, None, :])
    diagonal = np.arange(matrix.shape[1])
    own = matrix[:, diagonal, diagonal]
    # depth of place has no slope in two dimensions
    matrix[:, diagonal, diagonal] = np.where(stuck | (own == 0), 1.0, own * (1 + damping[:, None]))
    step = -np.linalg.solve(matrix, (gradient * free)[..., None])[..., 0]
    longest = np.abs(np.delete(step, np.r_[PLACE], axis=1)).max(1)
    return step * np.minimum(1.0, 1.0 / np.maximum(longest, 1e-9))[:, None]  # a radian at most
