"""Clips that show one sign each: people who sign one after another, with their hands' small motion."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..hand.kinematics import apply_matrix, keypoints_from_frames
from ..hand.pose import HandPose
from ..poses.fingerspelling import LETTERS
from ..poses.gestures import GESTURES
from ..poses.sampler import jitter_without_penetration
from ..rendering.camera import find_translation
from ..scenes.scene import Scene, random_scene
from ..scenes.views import held_up
from .clip import Clip, ClipMaker, hand_frames
from .motion import CameraPath, minimum_jerk, sway, turned

GROUPS: Mapping[str, Mapping[str, HandPose]] = {'letters': LETTERS, 'gestures': GESTURES}
_POSES = {name: pose for group in GROUPS.values() for name, pose in group.items()}

_ROLL = {'letter_g': 80, 'letter_h': 80, 'letter_j': 50, 'letter_p': 140, 'letter_q': 140}
"""Degrees by which a letter is turned in the picture: G and H to the side, P and Q down, J in the middle of its way."""
_LOOSE = 3.0  # degrees by which joints differ from one time to the next
_TURN = 14.0  # degrees by which people hold their hands differently, about each axis
_EXTENT = (0.45, 0.75)  # of the hand in the picture's shorter side


def sign_names(signs: Sequence[str]) -> tuple[str, ...]:
    """The signs that names of signs and of :data:`GROUPS` stand for.

    Raises:
        ValueError: there is no such sign or group, there are fewer than two, or one is named twice.
    """
    names = [name for sign in signs for name in GROUPS.get(sign, [sign])]
    unknown = [name for name in names if name not in _POSES]
    if unknown or len(set(names)) < max(2, len(names)):
        raise ValueError(
            f'signs: expected two or more of {", ".join(GROUPS)} and the names in them, each once, '
            f'got {unknown[0] if unknown else " ".join(signs)!r}'
        )
    return tuple(names)


class SignMaker(ClipMaker):
    """Makes clips of one sign each; clip ``i`` is person ``i // S`` with sign ``i % S`` of the S signs.

    A person keeps hand, skin, sleeve, light and camera through all signs; the wall behind is another in each clip. The
    hand shows its palm, fingers up but for some letters, holds and wears nothing, and moves a little before a camera at
    rest. Of the letters J and Z, which are movements, there is the shape alone, J turned.

    Args:
        signs: their names.
        settings: of :class:`ClipMaker`.
    """

    def __init__(self, signs: Sequence[str], *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.signs = tuple(signs)

    def plan(self, seed: int, index: int) -> Clip:
        """Who shows what, and how, in a clip."""
        person, sign = divmod(index, len(self.signs))
        name, pose = self.signs[sign], _POSES[self.signs[sign]]
        options = dict(self.scene_options, alone=True)
        scene = random_scene(self.models, self.size, np.random.default_rng([seed, person]), self.poses, **options)
        camera = replace(scene.camera, height=self.height)
        rng, time, main = np.random.default_rng([seed, index, 2]), self.time, scene.main
        first, last = (jitter_without_penetration(pose, _LOOSE, rng, main.shape).angles for _ in range(2))
        angles = first + minimum_jerk(time / time[-1])[:, None] * (last - first)
        about, nod, roll = np.radians(rng.normal(0, _TURN, 3))
        side = {'right': 1, 'left': -1}[main.hand.handedness]
        axes = held_up(about, nod, roll + side * np.radians(_ROLL.get(name, 0)))
        still = CameraPath(np.tile(np.eye(3), (len(time), 1, 1)), np.zeros((len(time), 3)))
        return swaying_clip(replace(scene, camera=camera), time, angles, name, axes, still, _EXTENT, rng)


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
    """A clip of one hand somewhere in the picture that holds and wears nothing, and only sways but for its fingers.

    Args:
        time: (N,) seconds, from 0.
        angles: (N, 24) degrees.
        axes: (3, 3) from the palm's frame to camera axes, about which the hand sways.
        extents: least and greatest size of the first frame's hand, as shares of the picture's shorter side.
    """
    camera, main = scene.camera, scene.main
    frames = hand_frames(angles, main)
    extent = rng.uniform(*extents) * camera.extent.min()
    centre = (camera.extent - 1) / 2 + rng.uniform(-0.4, 0.4, 2) * (camera.extent - extent)
    offset = find_translation(apply_matrix(keypoints_from_frames(frames, main.shape)[0], axes), camera, centre, extent)
    swaying = turned(np.tile(axes, (len(time), 1, 1)), sway(time, np.radians(rng.uniform(1, 4)), rng))
    offsets = offset + sway(time, rng.uniform(0.001, 0.006), rng)
    seen_axes, seen_offsets = camera_path.before(swaying, offsets)
    return Clip(
        cast=scene,
        held=None,
        worn=(),
        angles=angles,
        gestures=[gesture] * len(time),
        frames=frames,
        axes=seen_axes,
        offsets=seen_offsets,
        camera_path=camera_path,
    )
