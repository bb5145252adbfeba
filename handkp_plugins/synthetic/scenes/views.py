"""From where a hand is seen, and its size and place in the image."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..hand.kinematics import apply_matrix
from ..hand.model import Handedness, PosedHand
from ..rendering.camera import Camera, find_translation

VIEW_SHARES = {'any': 0.2, 'held_up': 0.3, 'signing': 0.25, 'first_person': 0.14, 'upside_down': 0.11}
"""Share of each kind of view; ``random_view`` says what they are."""

# views in which the arm points to the camera by more than this (cosine) or comes nearer than this (metres) are drawn
# again: it would hide the hand
_MAX_FORESHORTENING, _MIN_ARM_DISTANCE = 0.8, 0.1
_ARM_LENGTH = 0.3
_VIEW_TRIES = 50
_OUTLINE_STEP = 40


@dataclass(frozen=True)
class Framing:
    """Size of the hand's box as a share of the image's, and its random place."""

    extent: float  # mean of the longer side
    deviation: float  # of the longer side
    limits: tuple[float, float]  # of the longer side
    wander: float  # how much of the free room around the box the hand may move into, 0…1


PHOTOGRAPH = Framing(0.72, 0.14, (0.36, 1.1), 0.85)
"""A hand in a whole image: small or large, anywhere, sometimes cut by the border."""
LAYER = Framing(0.62, 0.05, (0.48, 0.74), 0.25)
"""A hand to be cropped, rotated and put before other backgrounds: whole, large, with room around it."""
LAYER_CUT_SHARE = 0.12  # share of layers that are framed as photographs are


def random_view(rng: np.random.Generator, handedness: Handedness) -> np.ndarray:
    """Rotation (3, 3) from the palm's frame to camera axes.

    - any: every view is as likely
    - held_up: palm, back or edge to the camera, fingers up, more or less rotated about each axis
    - signing: the same, but mostly the palm and less rotation
    - first_person: one's own hand: the arm comes from below, the fingers point up and away
    - upside_down: fingers down
    """
    kind = rng.choice(list(VIEW_SHARES), p=list(VIEW_SHARES.values()))
    if kind == 'any':
        w, x, y, z = rng.normal(size=4)
        return Rotation.from_quat([x, y, z, w]).as_matrix()
    side = {'right': 1.0, 'left': -1.0}[handedness]
    palm, spread = (0.7, (22, 20, 24)) if kind == 'signing' else (0.45, (38, 32, 55))
    about, nod, roll = np.radians(rng.normal(0, spread))
    about += rng.choice([0.0, np.pi, side * np.pi / 2], p=[palm, 0.8 - palm, 0.2])
    if kind == 'first_person':
        nod, roll = rng.normal(np.radians(-40), np.radians(18)), rng.normal(0, np.radians(40))
    elif kind == 'upside_down':
        roll += np.pi
    return held_up(about, nod, roll)


def held_up(about: float, nod: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) from the palm's frame to camera axes of a hand that shows its palm, fingers up, then rotates.

    Radians about the hand's length, to and from the camera, and in the image.
    """
    return Rotation.from_euler('ZXY', [roll, nod, -about]).as_matrix() @ np.diag([-1.0, -1, 1])


def view_hand(
    hand: PosedHand, is_hand: np.ndarray, camera: Camera, framing: Framing, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw rotation (3, 3) and translation (3,) that bring a hand before the camera, with the arm not in the way."""
    size = camera.size
    extent = size * np.clip(rng.normal(framing.extent, framing.deviation), *framing.limits)
    room = max(0.5 * (size - extent), 0.0)
    centre = (size - 1) / 2 + rng.uniform(-1, 1, 2) * framing.wander * room + rng.normal(0, 0.02, 2) * size
    outline = hand.vertices[is_hand][::_OUTLINE_STEP]
    for _ in range(_VIEW_TRIES):
        axes = random_view(rng, hand.handedness)
        offset = find_translation(apply_matrix(outline, axes), camera, centre, extent)
        if arm_is_clear(hand, axes, offset):
            break
    return axes, offset


def arm_is_clear(hand: PosedHand, axes: np.ndarray, offset: np.ndarray) -> bool:
    """Whether the arm neither points at the camera nor comes near enough to hide the hand."""
    return bool(arms_are_clear((axes @ hand.forearm[:3, 1])[2], offset[2]))


def arms_are_clear(to_hand: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """:func:`arm_is_clear` of many arms: z of the unit vectors from elbow to hand (...), and of the wrists, metres."""
    return (to_hand < _MAX_FORESHORTENING) & (wrist - _ARM_LENGTH * to_hand > _MIN_ARM_DISTANCE)
