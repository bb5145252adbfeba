"""Colours of the skin and nails, one per vertex of the template."""

from dataclasses import dataclass

import numpy as np

from .details import creases, facing_back, nails
from .kinematics import apply_matrix
from .template import HandTemplate, smoothstep

_TONES = np.array([  # sRGB, from the lightest to the darkest
    (244, 216, 200), (236, 200, 178), (226, 181, 152), (211, 160, 127), (190, 137, 101), (160, 110, 78), (128, 84, 58),
    (97, 62, 44), (70, 45, 34),
]) / 255.0  # fmt: skip
_PALM_OF_DARK_HANDS = np.array([205, 152, 128]) / 255.0
_NOISE_SCALES = (0.06, 0.018, 0.006)  # metres
_NOISE_STRENGTH = np.array([0.020, 0.016, 0.014])
_NOISE_FIELDS, _NOISE_WAVES = 6, 5
_BLUSH = np.array([0.10, -0.045, -0.035])


@dataclass(frozen=True)
class SkinLook:
    """Appearance of the skin; strengths of 1 are usual."""

    tone: float = 0.3  # 0 lightest … 1 darkest
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)  # factors of red, green and blue
    blush: float = 1.0  # red of knuckles, fingertips and the balls of the palm
    palm_lightness: float = 1.0  # above that of the back
    blotches: float = 1.0
    wrinkles: float = 1.0
    veins: float = 0.3  # on the back: 0 none, 1 strong
    nail_polish: tuple[float, float, float] | None = None  # RGB in 0…1; None for bare nails
    nail_length: float = 0.0015  # of their white edge, metres
    seed: int = 0  # of the blotches

    def __post_init__(self) -> None:
        if not 0 <= self.tone <= 1:
            raise ValueError(f'tone: expected 0 (lightest) to 1 (darkest), got {self.tone}')


def random_skin(rng: np.random.Generator) -> SkinLook:
    """Draw skin of any tone, all about equally often."""
    polish = None
    if rng.random() < 0.14:
        polish = tuple(rng.choice([[0.75, 0.08, 0.12], [0.95, 0.6, 0.65], [0.1, 0.1, 0.12], rng.random(3)]))
    return SkinLook(
        tone=float(rng.uniform(0, 1) ** 1.15),
        tint=tuple(1 + rng.normal(0, 0.03, 3)),
        blush=float(np.clip(rng.normal(0.9, 0.45), 0, 1.9)),
        palm_lightness=float(np.clip(rng.normal(1.0, 0.3), 0.3, 1.7)),
        blotches=float(rng.uniform(0.3, 2.0)),
        wrinkles=float(rng.uniform(0.3, 1.6)),
        veins=float(max(0.0, rng.uniform(-0.5, 1.0))),
        nail_polish=polish,
        nail_length=float(rng.choice([0.0005, 0.0015, 0.003], p=[0.35, 0.45, 0.2])),
        seed=int(rng.integers(2**31)),
    )


class SkinPainter:
    """Paints a template's V vertices: finds creases, nails and veins once, and mixes colours for each look."""

    def __init__(self, template: HandTemplate) -> None:
        rng = np.random.default_rng(0)
        points = template.vertices
        self.noise = np.stack([[_wave_noise(points, s, rng) for _ in range(_NOISE_FIELDS)] for s in _NOISE_SCALES])
        facing = facing_back(template)
        self.palmar = smoothstep(-facing, -0.35, 0.45) * (1 - 0.75 * smoothstep(-points[:, 1], 0.0, 0.03))
        self.blush = _blush_places(template, facing)
        on_back = smoothstep(facing, 0.0, 0.6) * (template.finger < 0)
        self.veins = (on_back * np.exp(-((self.noise[0] / 0.14) ** 2))).astype(np.float32)
        self.crease = creases(template)
        self.nail, self.nail_edge_distance = nails(template)

    def colors(self, look: SkinLook) -> np.ndarray:
        """Colours (V, 3), sRGB in 0…1."""
        back = _tone(look)
        darkness = smoothstep(np.array(look.tone), 0.3, 1.0)
        palm = back + look.palm_lightness * (0.08 + 0.42 * darkness) * (_PALM_OF_DARK_HANDS - back)
        palm = np.clip(palm + 0.02 * look.palm_lightness * np.array([1.0, 0.4, 0.4]), 0, 1)
        color = back + self.palmar[:, None] * (palm - back)
        strength = back.mean() ** 0.5
        color = color + look.blush * strength * self.blush[:, None] * _BLUSH
        rng = np.random.default_rng(look.seed)
        mix = rng.normal(size=self.noise.shape[:2]) * _NOISE_STRENGTH[:, None] / np.sqrt(_NOISE_FIELDS)
        blotches = np.einsum('sf,sfv->v', mix.astype(np.float32), self.noise)[:, None]
        color = color * (1 + look.blotches * blotches * np.array([0.7, 1.1, 1.2]))
        vein = look.veins * self.veins[int(rng.integers(_NOISE_FIELDS))][:, None]
        color = color * (1 - 0.11 * vein * np.array([1.1, 0.7, 0.5]))
        color = color * (1 - 0.28 * look.wrinkles * self.crease[:, None] * np.array([0.8, 1.0, 1.05]))
        return np.clip(self._paint_nails(color, back, look) * look.tint, 0.01, 1.0).astype(np.float32)

    def _paint_nails(self, color: np.ndarray, back: np.ndarray, look: SkinLook) -> np.ndarray:
        if look.nail_polish is not None:
            plate = np.broadcast_to(look.nail_polish, color.shape)
        else:
            bed = 0.55 * back + 0.45 * np.array([0.90, 0.70, 0.66])
            white = smoothstep(-self.nail_edge_distance, -look.nail_length - 0.0004, -look.nail_length + 0.0004)
            plate = bed + white[:, None] * (0.6 * (np.array([0.93, 0.90, 0.84]) - bed))
        rim = np.clip(4 * self.nail * (1 - self.nail), 0, 1)[:, None]
        return (color + self.nail[:, None] * (plate - color)) * (1 - 0.18 * rim)


def skin_tone(look: SkinLook) -> np.ndarray:
    """Mean colour (3,) of the skin, sRGB in 0…1."""
    return np.clip(_tone(look) * look.tint, 0.01, 1.0)


def _tone(look: SkinLook) -> np.ndarray:
    return np.array([np.interp(look.tone * (len(_TONES) - 1), range(len(_TONES)), c) for c in _TONES.T])


def _wave_noise(points: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (N,) of about unit deviation at points (N, 3): a sum of products of random plane waves."""
    total = np.zeros(len(points), np.float32)
    for _ in range(_NOISE_WAVES):
        direction = rng.normal(size=(2, 3)) * (2 * np.pi / scale / 1.7)
        phase = apply_matrix(points, direction.astype(np.float32)) + rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
        total += np.sin(phase[:, 0]) * np.sin(phase[:, 1])
    return total * np.float32(2 / np.sqrt(_NOISE_WAVES))


def _blush_places(template: HandTemplate, facing: np.ndarray) -> np.ndarray:
    place, on_finger = template.place, template.finger >= 0
    x, y, _ = 1e3 * template.vertices.T
    to_joint = np.minimum(np.abs(place - 1), np.abs(place - 2))
    knuckle = on_finger * smoothstep(facing, 0.1, 0.8) * (1 - smoothstep(to_joint, 0.05, 0.28)) * (place < 2.5)
    tip = on_finger * smoothstep(place, 2.2, 2.8)
    palmar = smoothstep(-facing, 0.0, 0.5)
    little_ball = np.exp(-(((x - 28) / 12) ** 2) - ((y - 30) / 28) ** 2)
    balls = palmar * np.maximum(little_ball, np.exp(-(((x + 22) / 16) ** 2) - ((y - 34) / 22) ** 2))
    pads = palmar * np.exp(-(((y - 88) / 12) ** 2)) * (template.finger < 0)
    return np.clip(0.45 * knuckle + 0.8 * tip + 0.6 * balls + 0.5 * pads, 0, 1)
