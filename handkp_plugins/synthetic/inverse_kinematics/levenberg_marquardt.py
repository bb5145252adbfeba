"""Bounded Levenberg-Marquardt on many hands at once; the legend is that of :mod:`.model`."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .model import HIGHEST, LOWEST, NUM_ANGLES, PRIOR, ROTATION, TRANSLATION, camera_keypoints_and_slopes

_TOLERANCE = 1e-4  # share of the cost that a step must save, or else it was the last one
_DAMPING, _MIN_DAMPING, _MAX_DAMPING = 1e-2, 1e-7, 1e4


class _Rows:
    """Arrays of one length that are indexed and joined together."""

    def __getitem__(self, rows: np.ndarray) -> '_Rows':
        return type(self)(*(values[rows] for values in vars(self).values()))

    @classmethod
    def concatenate(cls, parts: list['_Rows']) -> '_Rows':
        """Join the rows of several parts, in order."""
        return cls(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))


@dataclass(frozen=True)
class State(_Rows):
    """Parameters (B, P), rotations (B, 3, 3) and costs (B,) of B hands."""

    parameters: np.ndarray
    rotations: np.ndarray
    cost: np.ndarray

    def minimum(self, other: 'State') -> 'State':
        """Take each hand from the state where it costs less."""
        count = len(self.cost)
        return State.concatenate([self, other])[np.arange(count) + count * (other.cost < self.cost)]


@dataclass(frozen=True)
class Target(_Rows):
    """What B hands are fitted to."""

    keypoints: np.ndarray  # (B, 21, D)
    weights: np.ndarray  # (B, 21, D) of their errors
    angles: np.ndarray  # (B, 22) radians that the angles are drawn to
    angle_weight: np.ndarray  # (B,) of the squared errors of angles, per squared radian


def levenberg_marquardt(state: State, target: Target, max_steps: int) -> State:
    """Minimise the cost of each hand from a state, whose own costs are not read; converged hands take no more steps."""
    parameters, rotations = state.parameters.copy(), state.rotations.copy()
    cost, gradient, hessian = _expand(parameters, rotations, target)
    damping = np.full(len(cost), _DAMPING)
    active = np.arange(len(cost))
    for _ in range(max_steps):
        if not len(active):
            break
        step = _step(parameters[active], gradient[active], hessian[active], damping[active])
        trial = parameters[active] + step
        trial[:, ROTATION] = 0
        trial = np.clip(trial, LOWEST, HIGHEST)
        trial_rotations = Rotation.from_rotvec(step[:, ROTATION]).as_matrix() @ rotations[active]
        trial_cost, trial_gradient, trial_hessian = _expand(trial, trial_rotations, target[active])
        good = trial_cost < cost[active]
        done = good & (cost[active] - trial_cost < _TOLERANCE * cost[active])
        rows = active[good]
        parameters[rows], rotations[rows], cost[rows] = trial[good], trial_rotations[good], trial_cost[good]
        gradient[rows], hessian[rows] = trial_gradient[good], trial_hessian[good]
        damping[active] = np.maximum(damping[active] * np.where(good, 0.2, 5.0), _MIN_DAMPING)
        active = active[~done & (damping[active] < _MAX_DAMPING)]
    return State(parameters, rotations, cost)


def _expand(parameters: np.ndarray, rotations: np.ndarray, target: Target) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half the cost (B,), its gradient (B, P) and Gauss and Newton's approximation of its Hessian (B, P, P)."""
    count, joints, dims = target.keypoints.shape
    points, slopes = camera_keypoints_and_slopes(parameters, rotations)
    errors = ((points[..., :dims] - target.keypoints) * target.weights).reshape(count, joints * dims, 1)
    slopes = (slopes[:, :, :dims] * target.weights[..., None]).reshape(count, joints * dims, slopes.shape[-1])
    transposed = slopes.swapaxes(1, 2)
    matrix, mean = PRIOR
    prior_errors = parameters @ matrix.T - mean
    angle_errors = parameters[:, :NUM_ANGLES] - target.angles
    cost = 0.5 * ((errors**2).sum((1, 2)) + (prior_errors**2).sum(1) + target.angle_weight * (angle_errors**2).sum(1))
    gradient = (transposed @ errors)[..., 0] + prior_errors @ matrix
    gradient[:, :NUM_ANGLES] += target.angle_weight[:, None] * angle_errors
    hessian = transposed @ slopes + matrix.T @ matrix
    angle = np.arange(NUM_ANGLES)
    hessian[:, angle, angle] += target.angle_weight[:, None]
    return cost, gradient, hessian


def _step(parameters: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Steps (B, P); parameters at a limit that the cost drives beyond it stay."""
    stuck = ((parameters <= LOWEST) & (gradient > 0)) | ((parameters >= HIGHEST) & (gradient < 0))
    free = ~stuck
    matrix = hessian * (free[:, :, None] & free[:, None, :])
    diagonal = np.arange(matrix.shape[1])
    own = matrix[:, diagonal, diagonal]
    # the translation's depth has no slope in two dimensions
    matrix[:, diagonal, diagonal] = np.where(stuck | (own == 0), 1.0, own * (1 + damping[:, None]))
    step = -np.linalg.solve(matrix, (gradient * free)[..., None])[..., 0]
    longest = np.abs(np.delete(step, np.r_[TRANSLATION], axis=1)).max(1)
    return step * np.minimum(1.0, 1.0 / np.maximum(longest, 1e-9))[:, None]  # a radian at most
