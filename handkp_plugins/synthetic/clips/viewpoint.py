"""The camera at rest of clips of actions: the eyes of a person who looks down on a table. Metres, radians."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

MIRROR = np.diag([-1.0, 1, 1])
NEAREST = 0.14  # from the camera
_PITCH = np.radians([36, 54])  # of the camera, down
_ROLL = np.radians(4)
_DISTANCE = (0.33, 0.48)  # from the camera to the middle of the path


@dataclass(frozen=True)
class View:
    """The camera at rest above a table: unit vectors (3,) to the right, ahead and up in its frame, and its height."""

    right: np.ndarray
    ahead: np.ndarray
    up: np.ndarray
    height: float

    @property
    def axes(self) -> np.ndarray:
        """Columns right, ahead, up."""
        return np.stack([self.right, self.ahead, self.up], axis=1)

    def mirror(self) -> 'View':
        """Return the view in a mirror that swaps left and right."""
        return View(-MIRROR @ self.right, MIRROR @ self.ahead, MIRROR @ self.up, self.height)


def random_view(rng: np.random.Generator, above: float) -> tuple[View, float]:
    """Draw the camera at rest, and its distance along its axis to what lies ``above`` the table."""
    pitch, distance = rng.uniform(*_PITCH), rng.uniform(*_DISTANCE)
    roll = Rotation.from_euler('z', rng.normal(0, _ROLL)).as_matrix()
    sine, cosine = np.sin(pitch), np.cos(pitch)
    right, ahead, up = np.array([[1.0, 0, 0], [0, -sine, cosine], [0, -cosine, -sine]]) @ roll.T
    return View(right, ahead, up, distance * sine + above), distance
