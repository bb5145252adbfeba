"""Shapes of a hand: bone lengths, breadths and depths, and a sampler of random shapes.

Arrays over fingers go from thumb to little finger. A finger's three segments are the proximal, middle and end phalanx;
the thumb's are its metacarpal and two phalanges. The end segment is measured to the end of the flesh.
"""

from dataclasses import dataclass, field

import numpy as np

MEAN_SEGMENTS = 1e-3 * np.array([
    [45.0, 33.0, 28.0], [42.0, 24.0, 24.5], [46.0, 27.0, 25.5], [42.5, 26.0, 25.5], [33.5, 19.0, 22.5],
])  # fmt: skip
"""(5, 3) segment lengths in metres of an adult hand of average size, after published phalanx lengths."""

MEAN_ROOTS = 1e-3 * np.array([
    [-19.0, 19.0, -10.0], [-25.5, 90.0, 0.0], [-3.0, 92.5, 2.5], [17.5, 86.5, 1.0], [34.5, 77.0, -4.5],
])  # fmt: skip
"""(5, 3) of the thumb's CMC joint and the fingers' MCP joints in metres from the wrist: x towards the little finger's
side, y towards the fingertips, z out of the back of a right hand."""


@dataclass(frozen=True)
class HandShape:
    """The shape of one person's hand; the default is the mean hand. Lengths in metres."""

    segments: np.ndarray = field(default_factory=MEAN_SEGMENTS.copy)  # (5, 3) lengths
    palm: np.ndarray = field(default_factory=lambda: np.ones(3))  # factors of breadth, length and depth
    root_offsets: np.ndarray = field(default_factory=lambda: np.zeros((5, 3)))  # from their places in the scaled palm
    breadth: np.ndarray = field(default_factory=lambda: np.ones((5, 3)))  # factors
    depth: np.ndarray = field(default_factory=lambda: np.ones((5, 3)))  # factors of the thickness from back to palm
    forearm: np.ndarray = field(default_factory=lambda: np.ones(2))  # factors of breadth and depth
    joint_bulge: float = 0.0  # of joints and knuckles (bony hands: positive)
    pad_bulge: float = 0.0  # of the flesh between joints (fleshy hands: positive)
    tendons: float = 0.0  # height of the tendons on the back

    def __post_init__(self) -> None:
        shapes = dict(segments=(5, 3), palm=(3,), root_offsets=(5, 3), breadth=(5, 3), depth=(5, 3), forearm=(2,))
        for name, shape in shapes.items():
            value = np.asarray(getattr(self, name), dtype=float)
            if value.shape != shape:
                raise ValueError(f'{name}: expected shape {shape}, got {value.shape}')
            if name != 'root_offsets' and not (value > 0).all():
                raise ValueError(f'{name}: expected positive numbers, got {value.tolist()}')
            object.__setattr__(self, name, value)

    @property
    def roots(self) -> np.ndarray:
        """(5, 3) roots of the fingers in a right hand's palm frame, metres."""
        return MEAN_ROOTS * self.palm + self.root_offsets


def random_shape(rng: np.random.Generator) -> HandShape:
    """Draw a hand of random size, slenderness and finger-to-palm ratio; each segment also varies a little."""
    size = np.clip(rng.normal(1.0, 0.07), 0.8, 1.2)
    slender = rng.normal(0.0, 0.08)  # narrow against long
    long_fingers = rng.normal(0.0, 0.045)
    stout = np.clip(rng.normal(0.0, 0.07), -0.14, 0.18)

    segments = MEAN_SEGMENTS * size * (1 + long_fingers + 0.3 * slender)
    segments = segments * (1 + rng.normal(0, 0.03, (5, 1))) * (1 + rng.normal(0, 0.03, (5, 3)))
    palm = size * np.array([1 - 0.6 * slender + 0.3 * stout, 1 - 0.3 * long_fingers + 0.3 * slender, 1 + stout])
    taper = rng.normal(0, 0.03) * np.array([-1, 0, 1])
    breadth = size * (1 - 0.6 * slender + 0.8 * stout + taper) * (1 + rng.normal(0, 0.02, (5, 3)))
    breadth = breadth * (1 + rng.normal(0, 0.02, (5, 1)))
    depth = breadth * (1 + rng.normal(0, 0.03))
    return HandShape(
        segments=segments,
        palm=palm * (1 + rng.normal(0, 0.02, 3)),
        root_offsets=rng.normal(0, 0.0012, (5, 3)) * np.array([0.7, 1.5, 0.5]),
        breadth=np.clip(breadth, 0.68, 1.35),
        depth=np.clip(depth, 0.68, 1.35),
        forearm=size * (1 + 0.5 * stout + rng.normal(0, 0.07, 2)),
        joint_bulge=float(np.clip(rng.normal(0.0002, 0.0005), -0.0006, 0.0014)),
        tendons=float(np.clip(rng.normal(0.0006, 0.0006), 0, 0.0018)),
        pad_bulge=float(np.clip(rng.normal(0.0, 0.0004), -0.0008, 0.001)),
    )
