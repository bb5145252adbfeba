"""Light: rooms, one hard lamp, a window behind the hand, an overcast sky."""

from dataclasses import dataclass, replace

import numpy as np

LIGHT_SHARES = {'room': 0.55, 'lamp': 0.2, 'behind': 0.13, 'flat': 0.12}  # share of each kind of light among images


@dataclass(frozen=True)
class Light:
    """One distant light."""

    direction: np.ndarray  # (3,) unit, from the hand to it, camera frame
    color: np.ndarray  # (3,) linear RGB
    softness: float  # tangent of its half angle as seen from the hand


@dataclass(frozen=True)
class Lighting:
    """All light of a scene: lamps, and linear RGB (3,) from above (sky) and from below (ground)."""

    lamps: tuple[Light, ...]
    sky: np.ndarray
    ground: np.ndarray
    up: tuple[float, float, float] = (0.0, -1.0, 0.0)  # unit vector to the sky, camera frame

    def rotate(self, rotation: np.ndarray) -> 'Lighting':
        """Rotate all light by (3, 3)."""
        lamps = tuple(replace(lamp, direction=rotation @ lamp.direction) for lamp in self.lamps)
        return replace(self, lamps=lamps, up=tuple((rotation @ self.up).tolist()))


def random_lighting(rng: np.random.Generator) -> Lighting:
    """Draw light of one of the kinds of :data:`LIGHT_SHARES`.

    - room: a main lamp, seldom from behind, often weaker ones, and light from all around
    - lamp: one hard, strong lamp from the side or above, and little else
    - behind: a strong lamp behind the hand, which shows its dark side
    - flat: light from all around and hardly a shadow
    """
    kind = rng.choice(list(LIGHT_SHARES), p=list(LIGHT_SHARES.values()))
    sky, ground = _color(rng, 0.25) * rng.uniform(0.25, 0.9), _color(rng, 0.35) * rng.uniform(0.08, 0.5)
    if kind == 'flat':
        weak = (_lamp(rng, (0.0, -0.7, 0.0), (0.05, 0.3), (0.2, 0.6)),)
        return Lighting(weak, sky * rng.uniform(1.0, 1.6), sky * rng.uniform(0.4, 1.0))
    if kind == 'lamp':
        hard = (_lamp(rng, (0.0, -0.5, -0.3), (1.5, 3.0), (0.02, 0.08)),)
        return Lighting(hard, sky * rng.uniform(0.15, 0.5), ground * rng.uniform(0.2, 0.7))
    if kind == 'behind':
        strong = _lamp(rng, (0.0, -0.6, 1.6), (1.5, 3.5), (0.03, 0.4))
        fill = _lamp(rng, (0.0, -0.4, -1.0), (0.05, 0.4), (0.1, 0.5))
        return Lighting((strong, fill), sky * rng.uniform(0.4, 1.0), ground)
    lamps = [_lamp(rng, (0.0, -0.7, -0.9), (0.5, 1.8), (0.03, 0.5))]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
        lamps.append(_lamp(rng, (0.0, -0.7, 0.0), (0.1, 0.7), (0.03, 0.5)))
    return Lighting(tuple(lamps), sky, ground)


_Range = tuple[float, float]


def _lamp(rng: np.random.Generator, mean: tuple[float, float, float], strength: _Range, softness: _Range) -> Light:
    """A lamp whose direction scatters around ``mean``; strength and softness from their ranges."""
    direction = rng.normal(size=3) + np.array(mean)
    color = rng.uniform(*strength) * _color(rng, 0.3)
    return Light(direction / np.linalg.norm(direction), color, float(np.exp(rng.uniform(*np.log(softness)))))


def _color(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Linear RGB near white, more often along warm to cold."""
    warmth = rng.normal(0, spread)
    color = np.exp(np.array([0.5, 0.0, -0.6]) * warmth + rng.normal(0, 0.12 * spread, 3))
    return color / color.mean()
