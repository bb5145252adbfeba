"""Plans and renders clips of actions."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.model import Handedness
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera
from ..rendering.lights import random_lighting
from ..rendering.renderer import Rendering
from ..scenes.sample import Sample, SceneSample
from ..scenes.scene import Scene
from .actions import FOCAL, OBJECTS, VERBS, ActionClip, Person, action_of, random_person
from .carrying import carry, grasp_object, share_inside
from .clip import ClipMaker
from .motion import CameraPath, sway
from .other_hand import TRIES, move_other_hand
from .table import TABLE_PIXELS, view_table

OTHER_HAND_SHARE = 0.7
"""Share of clips with an unlabelled left hand, where one hand is labelled."""
CROSSING_SHARE = 0.6
"""Share of other hands that pass between the camera and the acting hand."""
_INSIDE = 0.93  # share of the acting hand's keypoints in the image


def plan_action(
    action: int, person: Person, camera: Camera, time: np.ndarray, hands: int, poses: PoseSampler,
    rng: np.random.Generator,
) -> ActionClip:  # fmt: skip
    """Plan a clip. What is drawn at random depends on the action's object and pair of verbs, not on which of the two.

    Args:
        action: Index of :data:`ACTIONS`.
        person: Whose hands these are.
        camera: The camera.
        time: (N,) seconds, from 0.
        hands: 1 for a right hand that acts; 2 for both hands, either of which acts.
        poses: What to draw the other hand's poses from.
        rng: Random numbers.
    """
    obj, verb = divmod(action, len(VERBS))
    forward = action - verb % 2
    handedness: Handedness = 'left' if hands == 2 and rng.random() < 0.5 else 'right'
    lighting, head = random_lighting(rng), random_head_path(time, rng)
    with_other, crosses = hands == 2 or rng.random() < OTHER_HAND_SHARE, rng.random() < CROSSING_SHARE
    best, chosen = -1.0, None
    for _ in range(TRIES):
        main, held = grasp_object(OBJECTS[obj], person, handedness, rng)
        clip = carry(forward, main, held, person, camera, time, head, lighting, rng)
        inside = share_inside(clip) if clip else -1.0
        if inside > best:
            best, chosen = inside, clip
        if best >= _INSIDE:
            break
    if chosen is None:
        raise RuntimeError(f'no path of {TRIES} is clear of camera and table')
    if with_other:
        chosen = replace(chosen, other=move_other_hand(chosen, person, crosses, time, poses, rng))
    return chosen.reverse() if verb % 2 else chosen


def random_head_path(time: np.ndarray, rng: np.random.Generator) -> CameraPath:
    """Draw how the head that bears the camera sways."""
    angles = sway(time, np.radians(rng.uniform(0.3, 1.6)), rng, (0.15, 1.5))
    return CameraPath(Rotation.from_rotvec(angles).as_matrix(), sway(time, rng.uniform(0.001, 0.008), rng))


class ActionMaker(ClipMaker):
    """Makes clips of actions. With V verbs, clip ``i`` shows person ``i // V`` and verb ``i % V``.

    Both verbs of a pair have the same object; over as many people as there are objects, each action occurs once.

    Args:
        hands: Labelled hands: 1, the right one, or 2.
        args: Arguments of :class:`ClipMaker`.
        settings: Arguments of :class:`ClipMaker`.
    """

    def __init__(self, hands: int, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.hands = hands
        self.camera = Camera(self.size, FOCAL * self.size, self.height)

    def plan(self, seed: int, index: int) -> ActionClip:
        """Plan a clip; see :class:`ClipMaker`."""
        who = np.random.default_rng([seed, index // len(VERBS), 4])
        person = random_person(self.models, self.scene_options['one_shape'], who)
        rng = np.random.default_rng([seed, index])
        return plan_action(action_of(index), person, self.camera, self.time, self.hands, self.poses, rng)

    def _label(self, scene: Scene, image: np.ndarray, rendering: Rendering, index: int) -> Sample:
        return SceneSample(
            image=image,
            mask=rendering.alpha,
            annotation={},
            camera={'K': scene.camera.matrix.tolist()},
            annotations=tuple(
                self._labels_of(scene, hand, rendering) | {'id': self.hands * index + k}
                for k, hand in enumerate(scene.hands[: self.hands])
            ),
        )

    def _move_background(self, clip: ActionClip, shutter: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield each frame's view of the table, with the shadows of hands and object."""
        return view_table(clip, self._background(TABLE_PIXELS, rng))
