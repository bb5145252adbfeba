"""Smooth motion in time: movements from rest to rest, sway, and a camera that moves. Seconds, metres, radians.

All of it has continuous velocity and acceleration, and so have keypoints that follow it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..rendering.camera import Camera
from ..rendering.lights import Lighting

CAMERA_SHARES = {'tripod': 0.3, 'hand_held': 0.45, 'moving': 0.25}
"""Share of each kind of camera among clips; ``random_camera_path`` says what they are."""

_TREMOR = (0.3, 2.5)  # hertz, of what people try to keep still
_WAVES = 5


def minimum_jerk(share: np.ndarray) -> np.ndarray:
    """How far (0…1) a movement from rest to rest has come when a share of its time has passed; any shape.

    People's movements between two points have nearly this form (Flash & Hogan, The Coordination of Arm Movements,
    J. Neurosci. 5, 1985). Its velocity and acceleration are zero at both ends; the greatest velocity is 1.875 times the
    mean.
    """
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def sway(
    time: np.ndarray, deviation: float, rng: np.random.Generator, band: tuple[float, float] = _TREMOR
) -> np.ndarray:
    """A small wandering (N, 3) of some deviation at times (N,): waves in a band of frequencies, slow ones largest."""
    low, high = np.log(band)
    frequency = np.exp(rng.uniform(low, high, (_WAVES, 3)))
    height = 1 / frequency
    height = height * (deviation * np.sqrt(2) / np.sqrt((height**2).sum(0)))
    phase = rng.uniform(0, 2 * np.pi, (_WAVES, 3))
    return (height * np.sin(2 * np.pi * frequency * time[:, None, None] + phase)).sum(1)


def turned(rotations: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3), each followed by that of a rotation vector (N, 3) in radians."""
    return Rotation.from_rotvec(by).as_matrix() @ rotations


@dataclass(frozen=True)
class CameraPath:
    """A camera that moves: its axes (N, 3, 3), as columns, and places (N, 3) in the frame of the camera at rest."""

    axes: np.ndarray
    places: np.ndarray

    def before(self, axes: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Axes (N, 3, 3) and offsets (N, 3) of a hand, given before the camera at rest, before the moving one."""
        to_camera = self.axes.swapaxes(1, 2)
        return to_camera @ axes, np.einsum('nij,nj->ni', to_camera, offsets - self.places)

    def lighting(self, i: int, lighting: Lighting) -> Lighting:
        """Lamps that stay where they are while the camera turns."""
        lamps = [replace(lamp, direction=self.axes[i].T @ lamp.direction) for lamp in lighting.lamps]
        return replace(lighting, lamps=tuple(lamps))

    def homographies(self, camera: Camera, distance: float) -> np.ndarray:
        """(N, 3, 3) from pixels of the camera at rest to those of the moving one, of a wall that it faces at rest.

        A point X of the wall has X·n = distance with n = (0, 0, 1), so X − place = (1 − place nᵀ / distance) X.
        """
        from_place = np.eye(3) - self.places[:, :, None] * np.array([0, 0, 1 / distance])
        return camera.matrix @ self.axes.swapaxes(1, 2) @ from_place @ np.linalg.inv(camera.matrix)


def random_camera_path(time: np.ndarray, rng: np.random.Generator) -> CameraPath:
    """A camera of one of the kinds of :data:`CAMERA_SHARES` at times (N,).

    - tripod: it does not move
    - hand_held: it trembles, by fractions of a degree and by millimetres
    - moving: hand held, and it pans and goes some way within the clip
    """
    kind = rng.choice(list(CAMERA_SHARES), p=list(CAMERA_SHARES.values()))
    places, angles = np.zeros((len(time), 3)), np.zeros((len(time), 3))
    if kind != 'tripod':
        places = sway(time, rng.uniform(0.001, 0.006), rng)
        angles = sway(time, np.radians(rng.uniform(0.15, 0.7)), rng)
    if kind == 'moving':
        done = minimum_jerk(time / time[-1] * rng.uniform(1, 1.6) - rng.uniform(0, 0.3))[:, None]
        places = places + (done - 0.5) * rng.normal(0, 0.05, 3)
        angles = angles + (done - 0.5) * np.radians(rng.normal(0, [4, 4, 6]))
    return CameraPath(Rotation.from_rotvec(angles).as_matrix(), places)
