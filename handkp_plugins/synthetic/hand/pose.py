"""Poses of a hand: 24 joint angles in degrees, and their anatomical limits.

At zero angles the hand is flat, its fingers closed and straight, the thumb half-way out, the wrist straight.

- ``<finger>_mcp``, ``_pip``, ``_dip``: flexion, positive towards the palm.
- ``<finger>_abd``: sideways at the knuckle, positive away from the middle finger (itself: towards the ring finger).
- ``thumb_flexion``: at the CMC joint across the palm (negative: away from the hand, in the plane of the palm);
  ``thumb_abduction``: at the CMC joint out of that plane, in front of the palm; ``thumb_rotation``: about the thumb's
  own axis, positive turns its pad towards the other fingers' pads; ``thumb_mcp``, ``thumb_ip``: flexion.
- ``palm_arch``: flexion of the ring and little finger's metacarpals, which cups the palm.
- ``wrist_flexion``: towards the palm; ``wrist_deviation``: positive towards the little finger's side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from handkp_plugins.structures.skeleton import LONG_FINGERS

LIMITS: dict[str, tuple[float, float]] = {
    **{
        f'{finger}_{joint}': limit
        for finger, abduction in zip(LONG_FINGERS, ((-12, 22), (-14, 14), (-10, 18), (-12, 30)), strict=True)
        for joint, limit in (('mcp', (-25, 92)), ('abd', abduction), ('pip', (-5, 112)), ('dip', (-8, 82)))
    },
    'thumb_flexion': (-22, 48),
    'thumb_abduction': (-25, 40),
    'thumb_rotation': (-15, 50),
    'thumb_mcp': (-12, 60),
    'thumb_ip': (-25, 82),
    'palm_arch': (0, 22),
    'wrist_flexion': (-65, 70),
    'wrist_deviation': (-20, 32),
}
"""Allowed (least, greatest) angle of each joint in degrees, in the order of :attr:`HandPose.angles`."""

ANGLE_NAMES: tuple[str, ...] = tuple(LIMITS)
THUMB_ANGLES = ANGLE_NAMES[16:21]
LOW, HIGH = np.array(list(LIMITS.values()), dtype=float).T


@dataclass(frozen=True)
class HandPose:
    """Joint angles (24,) of a left or right hand: degrees in the order of :data:`LIMITS`, and within these."""

    angles: np.ndarray = field(default_factory=lambda: np.zeros(len(LIMITS)))

    def __post_init__(self) -> None:
        angles = np.array(self.angles, dtype=float)
        if angles.shape != (len(LIMITS),):
            raise ValueError(f'angles: expected shape ({len(LIMITS)},), got {angles.shape}')
        wrong = ~((angles >= LOW - 1e-6) & (angles <= HIGH + 1e-6))
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise ValueError(f'{ANGLE_NAMES[i]}: expected {LOW[i]:g} to {HIGH[i]:g} degrees, got {angles[i]:g}')
        angles.setflags(write=False)
        object.__setattr__(self, 'angles', angles)

    @classmethod
    def of(cls, **degrees: float) -> 'HandPose':
        """Make a pose from named angles in degrees; those not named are zero."""
        return cls(_as_angles(degrees))

    @classmethod
    def clip(cls, angles: np.ndarray | Mapping[str, float]) -> 'HandPose':
        """Make the nearest allowed pose to angles in degrees, (24,) or by name."""
        return cls(np.clip(_as_angles(angles) if isinstance(angles, Mapping) else angles, LOW, HIGH))

    def as_dict(self) -> dict[str, float]:
        """Angle in degrees by name."""
        return dict(zip(ANGLE_NAMES, self.angles.tolist(), strict=True))

    def replace(self, changes: Mapping[str, float]) -> 'HandPose':
        """Change some named angles."""
        return HandPose.of(**(self.as_dict() | dict(changes)))

    def mix(self, other: 'HandPose', share: float | np.ndarray) -> 'HandPose':
        """Mix this pose (share 0) and another (share 1); one share for all or one for each angle."""
        return HandPose.clip(self.angles + share * (other.angles - self.angles))


def _as_angles(degrees: Mapping[str, float]) -> np.ndarray:
    unknown = sorted(set(degrees) - set(LIMITS))
    if unknown:
        raise ValueError(f'joint angle: expected one of {list(LIMITS)}, got {unknown[0]!r}')
    return np.array([degrees.get(name, 0.0) for name in ANGLE_NAMES])
