"""What a camera does to a picture: blur, exposure, noise, compression's traces."""

from dataclasses import dataclass

import cv2
import numpy as np

_WHITE = 2.2
"""Linear brightness that comes out white."""


def exposure(linear: np.ndarray, rng: np.random.Generator) -> float:
    """A factor of linear colours (V, 3) by which the hand is neither black nor burnt, most of the time."""
    brightness = float(np.percentile(linear.mean(1), 70)) + 1e-6
    target = np.clip(np.exp(rng.normal(np.log(0.55), 0.45)), 0.08, 1.3)
    # meet the target most of the way, so that dark skin stays darker than light skin
    return (target / brightness) ** 0.7


def tone_map(linear: np.ndarray, factor: float) -> np.ndarray:
    """Linear colours (V, 3) times a factor, highlights bent down."""
    exposed = linear * factor
    # bend the highlights down as film and phones do, instead of burning them out
    grey = exposed.mean(1, keepdims=True) + 1e-6
    # by brightness alone colours would glow, by channel they would fade: the mean of both
    return 0.5 * (exposed * _film(grey) / grey + _film(exposed))


def _film(linear: np.ndarray) -> np.ndarray:
    """Reinhard's tone curve, which reaches white at a finite brightness."""
    return linear * (1 + linear / _WHITE**2) / (1 + linear)


@dataclass(frozen=True)
class CameraLook:
    """What a camera does to each picture that it takes.

    Args:
        defocus: deviation of the blur in pixels, 0 for none.
        streak: kernel of the blur by motion; None for none.
        contrast, brightness: factor about mid grey, and what is added.
        balance: (3,) factors of red, green and blue.
        saturation: factor of the colours, 0 for a grey picture.
        taken_at: height in pixels of the picture before it was enlarged; None where it was not.
        noise: its deviation.
    """

    defocus: float
    streak: np.ndarray | None
    contrast: float
    brightness: float
    balance: np.ndarray
    saturation: float
    taken_at: int | None
    noise: float


def random_look(size: int, rng: np.random.Generator) -> CameraLook:
    """A middling camera for pictures ``size`` pixels high."""
    kind, defocus, streak = rng.random(), 0.0, None
    if kind < 0.4:
        defocus = size * rng.uniform(0.0015, 0.006)
    elif kind < 0.52:
        streak = _random_streak(size, rng)
    return CameraLook(
        defocus=defocus,
        streak=streak,
        contrast=np.exp(rng.normal(0, 0.14)),
        brightness=rng.normal(0, 0.04),
        balance=1 + rng.normal(0, 0.04, 3).astype(np.float32),
        saturation=0.0 if rng.random() < 0.03 else np.clip(rng.normal(1.0, 0.18), 0.3, 1.5),
        taken_at=int(size * rng.uniform(0.4, 0.9)) if rng.random() < 0.2 else None,
        noise=np.exp(rng.uniform(np.log(0.002), np.log(0.03))),
    )


def develop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sharp (H, W, 3) sRGB 0…1 picture as a middling camera would give it, 8 bit."""
    image = apply_camera(image, random_look(image.shape[0], rng), rng)
    return jpeg_compress(image, int(rng.uniform(30, 85))) if rng.random() < 0.3 else image


def apply_camera(image: np.ndarray, look: CameraLook, rng: np.random.Generator) -> np.ndarray:
    """A sharp (H, W, 3) sRGB 0…1 picture as the camera gives it, 8 bit; its noise is drawn anew."""
    height, width = image.shape[:2]
    if look.defocus:
        image = cv2.GaussianBlur(image, (0, 0), look.defocus)
    if look.streak is not None:
        image = cv2.filter2D(image, -1, look.streak)
    image = (image - 0.5) * look.contrast + 0.5 + look.brightness
    image = image * look.balance
    grey = image.mean(2, keepdims=True)
    image = grey + look.saturation * (image - grey)
    if look.taken_at:  # taken small, shown large
        small = look.taken_at * width // height, look.taken_at
        image = cv2.resize(image.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    image = image + look.noise * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)


def motion_blur(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A picture (H, W, C) of something that moves by (2,) pixels, half before and half after, while light falls in."""
    length = np.abs(shift).max()
    if length < 1:
        return image
    middle = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
    ends = [np.rint(16 * (middle + half * shift)).astype(int).tolist() for half in (-0.5, 0.5)]
    cv2.line(kernel, *ends, 255, 1, cv2.LINE_AA, shift=4)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def jpeg_compress(image: np.ndarray, quality: int) -> np.ndarray:
    """An 8-bit picture (H, W, 3) with the traces of JPEG's compression."""
    return cv2.imdecode(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def _random_streak(size: int, rng: np.random.Generator) -> np.ndarray:
    length = max(3, int(size * rng.uniform(0.01, 0.035))) | 1
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), length // 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(int(v) for v in np.rint(middle + sign * reach)) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return kernel / kernel.sum()
