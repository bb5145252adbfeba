"""Clips of one sign each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..hand.kinematics import apply_matrix, keypoints_from_frames
from ..hand.pose import HandPose
from ..poses.fingerspelling import LETTERS
from ..poses.gestures import GESTURES
from ..poses.sampler import jitter_without_penetration
from ..rendering.camera import find_translation
from ..scenes.scene import Scene
from ..scenes.views import held_up
from .clip import Clip, ClipMaker, hand_frames
from .motion import CameraPath, minimum_jerk, rotate, sway

GROUPS: Mapping[str, Mapping[str, HandPose]] = {'letters': LETTERS, 'gestures': GESTURES}
_POSES = {name: pose for group in GROUPS.values() for name, pose in group.items()}

# degrees by which a letter is rotated in the image: G and H to the side, P and Q down, J half of its movement
_ROLL = {'letter_g': 80, 'letter_h': 80, 'letter_j': 50, 'letter_p': 140, 'letter_q': 140}
_JITTER = 3.0  # degrees, of the joints from one time to the next
_ROTATION = 14.0  # degrees, standard deviation about each axis
_EXTENT = (0.45, 0.75)  # size of the hand, as a share of the image's shorter side


def sign_names(signs: Sequence[str]) -> tuple[str, ...]:
    """Replace names of :data:`GROUPS` by those of their signs; each must be known and occur once."""
    names = [name for sign in signs for name in GROUPS.get(sign, [sign])]
    unknown = [name for name in names if name not in _POSES]
    if unknown or len(set(names)) < max(2, len(names)):
        raise ValueError(
            f'signs: expected two or more of {", ".join(GROUPS)} and the names in them, each once, '
            f'got {unknown[0] if unknown else " ".join(signs)!r}'
        )
    return tuple(names)


class SignMaker(ClipMaker):
    """Makes clips of one sign each. With S signs, clip ``i`` shows person ``i // S`` and sign ``i % S``.

    A person has the same hand, skin, sleeve, light and camera for all signs; the background differs. The hand shows
    its palm, fingers up except for some letters, holds and wears nothing, and moves a little before a camera at rest.
    The letters J and Z, which are movements, have only their handshape.
    """

    def __init__(self, signs: Sequence[str], *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.signs = tuple(signs)

    def plan(self, seed: int, index: int) -> Clip:
        """Plan a clip; see :class:`ClipMaker`."""
        person, sign = divmod(index, len(self.signs))
        name, pose = self.signs[sign], _POSES[self.signs[sign]]
        scene = self.draw_scene(np.random.default_rng([seed, person]), alone=True)
        rng, time, main = np.random.default_rng([seed, index, 2]), self.time, scene.main
        first, last = (jitter_without_penetration(pose, _JITTER, rng, main.shape).angles for _ in range(2))
        angles = first + minimum_jerk(time / time[-1])[:, None] * (last - first)
        about, nod, roll = np.radians(rng.normal(0, _ROTATION, 3))
        side = {'right': 1, 'left': -1}[main.hand.handedness]
        axes = held_up(about, nod, roll + side * np.radians(_ROLL.get(name, 0)))
        still = CameraPath(np.tile(np.eye(3), (len(time), 1, 1)), np.zeros((len(time), 3)))
        return swaying_clip(scene, time, angles, name, axes, still, _EXTENT, rng)


def swaying_clip(
    scene: Scene,
    time: np.ndarray,
    angles: np.ndarray,
    gesture: str,
    axes: np.ndarray,
    camera_path: CameraPath,
    extents: tuple[float, float],
    rng: np.random.Generator,
) -> Clip:
    """Plan a clip of a hand that sways in its place while its fingers move, without held or worn objects.

    Args:
        time: (N,) seconds, from 0.
        angles: (N, 24) joint angles in degrees.
        axes: (3, 3) mean rotation from the palm's frame to the camera's.
        extents: Range of the hand's size in the first frame, as a share of the image's shorter side.
    """
    camera, main = scene.camera, scene.main
    frames = hand_frames(angles, main)
    extent = rng.uniform(*extents) * camera.extent.min()
    centre = (camera.extent - 1) / 2 + rng.uniform(-0.4, 0.4, 2) * (camera.extent - extent)
    offset = find_translation(apply_matrix(keypoints_from_frames(frames, main.shape)[0], axes), camera, centre, extent)
    swaying = rotate(np.tile(axes, (len(time), 1, 1)), sway(time, np.radians(rng.uniform(1, 4)), rng))
    offsets = offset + sway(time, rng.uniform(0.001, 0.006), rng)
    axes, offsets = camera_path.to_moving_camera(swaying, offsets)
    return Clip(
        base_scene=scene,
        held=None,
        worn=(),
        angles=angles,
        gestures=[gesture] * len(time),
        axes=axes,
        offsets=offsets,
        camera_path=camera_path,
    )
