"""Smooth motion: movements from rest to rest, sway, and camera motion. Seconds, metres, radians.

Velocity and acceleration are continuous, and so are those of the keypoints.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..rendering.camera import Camera
from ..rendering.lights import Lighting

CAMERA_SHARES = {'tripod': 0.3, 'hand_held': 0.45, 'moving': 0.25}
"""Share of each kind of camera of :func:`random_camera_path`."""

_TREMOR = (0.3, 2.5)  # hertz, of a hand that tries to be still
_WAVES = 5


def minimum_jerk(share: np.ndarray) -> np.ndarray:
    """Return the progress (0…1) of a movement from rest to rest when a share of its time has passed; any shape.

    People's movements between two points are nearly like this (Flash & Hogan, The Coordination of Arm Movements,
    J. Neurosci. 5, 1985). Velocity and acceleration are zero at both ends; the peak velocity is 1.875 times the mean.
    """
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def sway(
    time: np.ndarray, deviation: float, rng: np.random.Generator, band: tuple[float, float] = _TREMOR
) -> np.ndarray:
    """Return a small random motion (N, 3) at times (N,): waves in a band of frequencies, slow ones largest."""
    low, high = np.log(band)
    frequency = np.exp(rng.uniform(low, high, (_WAVES, 3)))
    height = 1 / frequency
    height = height * (deviation * np.sqrt(2) / np.sqrt((height**2).sum(0)))
    phase = rng.uniform(0, 2 * np.pi, (_WAVES, 3))
    return (height * np.sin(2 * np.pi * frequency * time[:, None, None] + phase)).sum(1)


def rotate(rotations: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Rotate rotations (N, 3, 3) by rotation vectors (N, 3) in radians."""
    return Rotation.from_rotvec(by).as_matrix() @ rotations


@dataclass(frozen=True)
class CameraPath:
    """A moving camera, in the frame of the camera at rest."""

    axes: np.ndarray  # (N, 3, 3) as columns
    positions: np.ndarray  # (N, 3)

    def to_moving_camera(self, axes: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Transform a hand's axes (N, 3, 3) and offsets (N, 3) from the camera at rest to the moving one."""
        to_camera = self.axes.swapaxes(1, 2)
        return to_camera @ axes, np.einsum('nij,nj->ni', to_camera, offsets - self.positions)

    def rotate_lighting(self, i: int, lighting: Lighting) -> Lighting:
        """Return the lighting in a frame: lamps stay in place while the camera rotates, but up is up in the image."""
        return replace(lighting.rotate(self.axes[i].T), up=lighting.up)

    def homographies(self, camera: Camera, distance: float) -> np.ndarray:
        """Return homographies (N, 3, 3) from the camera at rest to the moving one, for a wall parallel to the image.

        A point X of the wall has X·n = distance with n = (0, 0, 1), so X − position = (1 − position nᵀ / distance) X.
        """
        from_position = np.eye(3) - self.positions[:, :, None] * np.array([0, 0, 1 / distance])
        return camera.matrix @ self.axes.swapaxes(1, 2) @ from_position @ np.linalg.inv(camera.matrix)


def random_camera_path(time: np.ndarray, rng: np.random.Generator) -> CameraPath:
    """Draw the motion of a camera at times (N,).

    - tripod: no motion
    - hand_held: trembles by fractions of a degree and millimetres
    - moving: hand-held, and pans and moves during the clip
    """
    kind = rng.choice(list(CAMERA_SHARES), p=list(CAMERA_SHARES.values()))
    positions, angles = np.zeros((len(time), 3)), np.zeros((len(time), 3))
    if kind != 'tripod':
        positions = sway(time, rng.uniform(0.001, 0.006), rng)
        angles = sway(time, np.radians(rng.uniform(0.15, 0.7)), rng)
    if kind == 'moving':
        progress = minimum_jerk(time / time[-1] * rng.uniform(1, 1.6) - rng.uniform(0, 0.3))[:, None]
        positions = positions + (progress - 0.5) * rng.normal(0, 0.05, 3)
        angles = angles + (progress - 0.5) * np.radians(rng.normal(0, [4, 4, 6]))
    return CameraPath(Rotation.from_rotvec(angles).as_matrix(), positions)
