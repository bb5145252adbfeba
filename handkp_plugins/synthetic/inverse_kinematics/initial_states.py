"""Where inverse kinematics starts: the named poses, rotated and scaled onto the keypoints."""

from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.kinematics import hand_keypoints, normalize
from ..hand.shape import HandShape
from ..poses.fingerspelling import LETTERS
from ..poses.gestures import GESTURES
from .levenberg_marquardt import State
from .model import NUM_ANGLES, NUM_PARAMETERS, SCALE, TRANSLATION

_VIEWS = 60
_MAX_COSINE = np.cos(np.radians(45))  # between the views of two states
_COUNT_2D, _COUNT_3D = 4, 2


def initial_states(keypoints: np.ndarray) -> list[State]:
    """States to start from, the best first, for keypoints (B, 21, D) of right hands with their mean at 0."""
    return _initial_states_2d(keypoints) if keypoints.shape[2] == 2 else _initial_states_3d(keypoints)


@cache
def _bank() -> tuple[np.ndarray, np.ndarray]:
    """Angles (K, 22) in radians and keypoints (K, 21, 3) in metres of all named poses."""
    angles = np.stack([pose.angles for pose in (*GESTURES.values(), *LETTERS.values())])
    return np.radians(angles[:, :NUM_ANGLES]), hand_keypoints(angles, HandShape())


def _state(pose: np.ndarray, rotations: np.ndarray, scale: np.ndarray) -> State:
    """The state of poses of the bank (B,), rotations (B, 3, 3) and scales (B,), with the keypoints' mean at 0."""
    angles, points = _bank()
    parameters = np.zeros((len(pose), NUM_PARAMETERS))
    parameters[:, :NUM_ANGLES], parameters[:, SCALE] = angles[pose], np.log(scale)
    parameters[:, TRANSLATION] = -scale[:, None] * np.einsum('bij,bj->bi', rotations, points[pose].mean(1))
    return State(parameters, rotations, np.full(len(pose), np.inf))


@cache
def _views() -> np.ndarray:
    """(V, 3, 3) rotations whose third rows, where the camera looks in the palm's frame, are spread over the sphere."""
    i = np.arange(_VIEWS) + 0.5
    z, around = 1 - 2 * i / _VIEWS, np.pi * (1 + np.sqrt(5)) * i
    look = np.stack([np.sqrt(1 - z**2) * np.cos(around), np.sqrt(1 - z**2) * np.sin(around), z], axis=1)
    right = normalize(np.cross(np.where(np.abs(look[:, 1:2]) < 0.9, [[0.0, 1, 0]], [[1.0, 0, 0]]), look))
    return np.stack([right, np.cross(look, right), look], axis=1)


@cache
def _projections() -> np.ndarray:
    """(K × V, 21) keypoints of all poses in all views as complex numbers x + iy with their mean at 0."""
    points = np.einsum('vij,knj->kvni', _views()[:, :2], _bank()[1])
    points = (points - points.mean(2, keepdims=True)).reshape(-1, 21, 2)
    return points[..., 0] + 1j * points[..., 1]


def _initial_states_2d(keypoints: np.ndarray) -> list[State]:
    """The poses whose projections match best when rotated and scaled in the image, from views far apart."""
    projections, views = _projections(), _views()
    power = (np.abs(projections) ** 2).sum(1)
    product = (keypoints[..., 0] + 1j * keypoints[..., 1]) @ projections.conj().T  # (B, K × V)
    match = np.abs(product) / np.sqrt(power)
    states = []
    for _ in range(_COUNT_2D):
        best = match.argmax(1)
        factor = product[np.arange(len(best)), best] / power[best]
        pose, view = np.divmod(best, _VIEWS)
        in_image = Rotation.from_euler('z', np.angle(factor)[:, None]).as_matrix()
        states.append(_state(pose, in_image @ views[view], np.abs(factor)))
        near = views[view, 2] @ views[:, 2].T > _MAX_COSINE  # (B, V)
        match = np.where(np.tile(near, (1, len(_bank()[0]))), -1.0, match)
    return states


def _initial_states_3d(keypoints: np.ndarray) -> list[State]:
    """The poses that come nearest when rotated and scaled (Umeyama's method)."""
    points = _bank()[1]
    points = points - points.mean(1, keepdims=True)
    left, size, right = np.linalg.svd(np.einsum('bni,knj->bkij', keypoints, points))
    sign = np.ones_like(size)
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    rotations, product = (left * sign[..., None, :]) @ right, (size * sign).sum(-1)
    power = (points**2).sum((1, 2))
    order = np.argsort(-product / np.sqrt(power), axis=1)
    rows = np.arange(len(keypoints))
    return [
        _state(pose, rotations[rows, pose], np.maximum(product[rows, pose], 1e-9) / power[pose])
        for pose in order.T[:_COUNT_3D]
    ]
