"""Where inverse kinematics starts: the named poses, turned and scaled onto the keypoints given."""

from functools import cache

import numpy as np

from ..hand.kinematics import frames_of_angles, keypoints_from_frames
from ..hand.shape import HandShape
from ..poses.fingerspelling import LETTERS
from ..poses.gestures import GESTURES
from .levenberg_marquardt import State
from .model import NUM_ANGLES, NUM_PARAMETERS, PLACE, SCALE

_VIEWS = 60
_APART = np.cos(np.radians(45))  # greatest cosine between the views of two starts
_FLAT_STARTS, _SOLID_STARTS = 4, 2


def starts(keypoints: np.ndarray) -> list[State]:
    """States to start from, the most promising first, for keypoints (B, 21, D) of right hands with their mean at 0."""
    return _flat_starts(keypoints) if keypoints.shape[2] == 2 else _solid_starts(keypoints)


@cache
def _bank() -> tuple[np.ndarray, np.ndarray]:
    """Angles (K, 22) in radians and keypoints (K, 21, 3) in metres of all named poses."""
    angles = np.stack([pose.angles for pose in (*GESTURES.values(), *LETTERS.values())])
    shape = HandShape()
    return np.radians(angles[:, :NUM_ANGLES]), keypoints_from_frames(frames_of_angles(angles, shape), shape)


def _state(pose: np.ndarray, turns: np.ndarray, scale: np.ndarray) -> State:
    """Of poses of the bank (B,), rotations (B, 3, 3) and scales (B,), with the keypoints' mean at 0."""
    angles, points = _bank()
    parameters = np.zeros((len(pose), NUM_PARAMETERS))
    parameters[:, :NUM_ANGLES], parameters[:, SCALE] = angles[pose], np.log(scale)
    parameters[:, PLACE] = -scale[:, None] * np.einsum('bij,bj->bi', turns, points[pose].mean(1))
    return State(parameters, turns, np.full(len(pose), np.inf))


@cache
def _views() -> np.ndarray:
    """(V, 3, 3) rotations whose third rows, where the camera looks in the palm's frame, are spread over the sphere."""
    i = np.arange(_VIEWS) + 0.5
    z, around = 1 - 2 * i / _VIEWS, np.pi * (1 + np.sqrt(5)) * i
    look = np.stack([np.sqrt(1 - z**2) * np.cos(around), np.sqrt(1 - z**2) * np.sin(around), z], axis=1)
    right = np.cross(np.where(np.abs(look[:, 1:2]) < 0.9, [[0.0, 1, 0]], [[1.0, 0, 0]]), look)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return np.stack([right, np.cross(look, right), look], axis=1)


@cache
def _pictures() -> np.ndarray:
    """(K × V, 21) keypoints of all poses in all views as complex numbers x + iy with their mean at 0."""
    points = np.einsum('vij,knj->kvni', _views()[:, :2], _bank()[1])
    points = (points - points.mean(2, keepdims=True)).reshape(-1, 21, 2)
    return points[..., 0] + 1j * points[..., 1]


def _flat_starts(keypoints: np.ndarray) -> list[State]:
    """In two dimensions: the best pictures of poses, turned and scaled in the picture, from views far apart."""
    pictures, views = _pictures(), _views()
    power = (np.abs(pictures) ** 2).sum(1)
    product = (keypoints[..., 0] + 1j * keypoints[..., 1]) @ pictures.conj().T  # (B, K × V)
    match = (np.abs(product) / np.sqrt(power)).reshape(len(keypoints), len(pictures) // _VIEWS, _VIEWS)
    found = []
    for _ in range(_FLAT_STARTS):
        best = match.reshape(len(keypoints), -1).argmax(1)
        factor = product[np.arange(len(best)), best] / power[best]
        pose, view = np.divmod(best, _VIEWS)
        spin = np.zeros((len(best), 3, 3))
        cosine, sine = factor.real / np.abs(factor), factor.imag / np.abs(factor)
        spin[:, 0, 0] = spin[:, 1, 1] = cosine
        spin[:, 1, 0], spin[:, 0, 1], spin[:, 2, 2] = sine, -sine, 1
        found.append(_state(pose, spin @ views[view], np.abs(factor)))
        near = views[view, 2] @ views[:, 2].T > _APART  # (B, V)
        match = np.where(near[:, None], -1.0, match)
    return found


def _solid_starts(keypoints: np.ndarray) -> list[State]:
    """In three dimensions: the poses that come nearest when they are turned and scaled (Umeyama's method)."""
    points = _bank()[1]
    points = points - points.mean(1, keepdims=True)
    left, size, right = np.linalg.svd(np.einsum('bni,knj->bkij', keypoints, points))
    sign = np.ones_like(size)
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    turns, product = (left * sign[..., None, :]) @ right, (size * sign).sum(-1)
    power = (points**2).sum((1, 2))
    order = np.argsort(-product / np.sqrt(power), axis=1)
    rows = np.arange(len(keypoints))
    return [
        _state(pose, turns[rows, pose], np.maximum(product[rows, pose], 1e-9) / power[pose])
        for pose in order.T[:_SOLID_STARTS]
    ]
