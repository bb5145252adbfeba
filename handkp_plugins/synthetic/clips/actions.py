"""Actions: verbs and objects, and clips of a hand that takes an object along a path above a table.

Verbs come in pairs: the second plays the first one's path backwards, with all else that moves. A path rests before and
after its movement, so one frame does not tell the two verbs of a pair apart. Metres, seconds, radians.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..hand.model import HandModel
from ..hand.shape import HandShape, random_shape
from ..hand.skin import SkinLook, random_skin
from ..scenes.scene import SLEEVE_SHARE, Scene
from .clip import Clip
from .motion import CameraPath
from .viewpoint import View

VERBS = ('lift', 'lower', 'pull', 'push', 'tip', 'right')
"""Pairs of a path and its reverse: up and down, to the person and away, to the side and upright again."""
GRASPS = {
    'cup': ('holding_cup', 'grab', 'cup'),
    'pen': ('holding_pen', 'tripod', 'pinch'),
    'phone': ('holding_cup', 'cup', 'beak', 'bent_flat'),
    'ball': ('claw', 'grab', 'cup', 'beak'),
}
"""The objects and the gestures that hold them."""
OBJECTS = tuple(GRASPS)
ACTIONS = tuple(f'{verb} {name}' for name in OBJECTS for verb in VERBS)
FOCAL = 0.75
"""Focal length as a share of the image's width: one for all clips, so that depth can be told from size."""


@dataclass(frozen=True)
class Person:
    """What the clips of one person share.

    Args:
        model, shape, skin: Of both hands.
        sleeve: As in :class:`HandInScene`.
    """

    model: HandModel
    shape: HandShape
    skin: SkinLook
    sleeve: float | None


def random_person(models: Sequence[HandModel], one_shape: bool, rng: np.random.Generator) -> Person:
    """Draw a person."""
    return Person(
        model=models[int(rng.integers(len(models)))],
        shape=HandShape() if one_shape else random_shape(rng),
        skin=random_skin(rng),
        sleeve=float(rng.uniform(0.012, 0.13)) if rng.random() < SLEEVE_SHARE else None,
    )


@dataclass(frozen=True)
class ActionClip(Clip):
    """A clip of an action.

    Args:
        action: Index of :data:`ACTIONS`.
        view: The camera at rest.
        other: The person's other hand; None where there is none.
    """

    action: int
    view: View
    other: Clip | None

    def scene_at(self, i: int) -> Scene:
        """Return the scene of a frame."""
        return replace(super().scene_at(i), other=self.other.scene_at(i).main if self.other else None)

    def reverse(self) -> 'ActionClip':
        """Play the clip backwards, as the other verb of its pair."""
        other = self.other and replace(self.other, **_backwards(self.other))
        return replace(self, **_backwards(self), other=other, action=self.action ^ 1)


def _backwards(clip: Clip) -> dict[str, Any]:
    path = clip.camera_path
    arrays = {name: getattr(clip, name)[::-1] for name in ('angles', 'gestures', 'axes', 'offsets')}
    return arrays | dict(camera_path=CameraPath(path.axes[::-1], path.positions[::-1]))


def action_of(index: int) -> int:
    """Index of :data:`ACTIONS` of a clip."""
    person, verb = divmod(index, len(VERBS))
    return (person + verb // 2) % len(OBJECTS) * len(VERBS) + verb
