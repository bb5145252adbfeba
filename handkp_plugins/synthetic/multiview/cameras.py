"""Cameras around a hand: pinhole, calibrated, and each two well apart. Metres."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.kinematics import normalize
from ..rendering.camera import Camera
from ..scenes.scene import HandInScene
from ..scenes.views import arm_is_clear

MOST_CAMERAS = 8
APART = 35.0  # degrees, at least, between two cameras as seen from the middle of the hand
DISTANCE = (0.6, 0.9)  # from a camera to the middle of the hand
FOCAL = (2.0, 2.2)  # of the image's width
_ROLL = 12.0  # degrees, deviation from upright
_AIM = 0.012  # deviation of the place that a camera is aimed at, along each axis
_MARGIN = 0.02  # of the image's width that is free around the keypoints
_TRIES = 1000


@dataclass(frozen=True)
class PlacedCamera:
    """A camera and its place: x_camera = rotation · x_world + translation."""

    camera: Camera
    rotation: np.ndarray  # (3, 3) R
    translation: np.ndarray  # (3,) t, metres

    @property
    def position(self) -> np.ndarray:
        """Place (3,) of the camera in the world."""
        return -self.rotation.T @ self.translation

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Transform points (N, 3) of the world to the camera's frame."""
        return np.einsum('ni,mi->nm', points, self.rotation) + self.translation

    @property
    def labels(self) -> dict[str, list]:
        """K, R and t as lists."""
        return {'K': self.camera.matrix.tolist(), 'R': self.rotation.tolist(), 't': self.translation.tolist()}


def random_cameras(num: int, size: int, hand: HandInScene, rng: np.random.Generator) -> list[PlacedCamera]:
    """Draw cameras of ``size`` pixels that look at a hand in the world's frame (y down) from all sides, nearly upright.

    From the middle of the hand each two are :data:`APART` or more. The arm points at none of them (``arm_is_clear``),
    and all keypoints are in each image.
    """
    keypoints = hand.to_camera(hand.hand.keypoints)
    middle = 0.5 * (keypoints.min(0) + keypoints.max(0))
    chosen: list[PlacedCamera] = []
    for direction in normalize(rng.normal(size=(_TRIES, 3))):
        camera = Camera(size, size * rng.uniform(*FOCAL))
        position = middle + rng.uniform(*DISTANCE) * direction
        rotation = aim(middle + rng.normal(0, _AIM, 3) - position, np.radians(rng.normal(0, _ROLL)))
        placed = PlacedCamera(camera, rotation, -rotation @ position)
        others = [normalize((other.position - middle)[None])[0] for other in chosen]
        if max((direction @ other for other in others), default=-1) > np.cos(np.radians(APART)):
            continue
        if arm_is_clear(hand.hand, rotation @ hand.axes, placed.to_camera(hand.offset[None])[0]) and _shows(
            placed, keypoints
        ):
            chosen.append(placed)
        if len(chosen) == num:
            return chosen
    raise RuntimeError(f'no place for {num} cameras found in {_TRIES} tries')


def aim(direction: np.ndarray, roll: float) -> np.ndarray:
    """Rotation (3, 3) from the world (y down) to a camera that looks along a direction (3,), upright but for a roll.

    Args:
        direction: Neither zero nor along y.
        roll: Radians about the direction.
    """
    forward = normalize(direction[None])[0]
    right = normalize(np.cross([0.0, 1, 0], forward)[None])[0]
    upright = np.stack([right, np.cross(forward, right), forward])
    return Rotation.from_euler('z', roll).as_matrix() @ upright


def _shows(placed: PlacedCamera, keypoints: np.ndarray) -> bool:
    """Whether all keypoints are in the image, with a margin."""
    pixels, margin = placed.camera.project(placed.to_camera(keypoints)), _MARGIN * placed.camera.size
    return bool((pixels >= margin).all() and (pixels <= placed.camera.size - 1 - margin).all())
