"""What a camera does to a picture: blur, exposure, noise, compression's traces."""

import cv2
import numpy as np

_WHITE = 2.2
"""Linear brightness that comes out white."""


def expose(linear: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale linear colours (V, 3) so that the hand as a whole is neither black nor burnt, most of the time."""
    brightness = float(np.percentile(linear.mean(1), 70)) + 1e-6
    target = np.clip(np.exp(rng.normal(np.log(0.55), 0.45)), 0.08, 1.3)
    # meet the target most of the way, so that dark skin stays darker than light skin; then bend the highlights down as
    # film and phones do, instead of burning them out
    exposed = linear * (target / brightness) ** 0.7
    grey = exposed.mean(1, keepdims=True) + 1e-6
    # by brightness alone colours would glow, by channel they would fade: the mean of both
    return 0.5 * (exposed * _film(grey) / grey + _film(exposed))


def _film(linear: np.ndarray) -> np.ndarray:
    """Reinhard's tone curve, which reaches white at a finite brightness."""
    return linear * (1 + linear / _WHITE**2) / (1 + linear)


def develop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sharp (H, W, 3) sRGB 0…1 picture as a middling camera would give it, 8 bit."""
    size = image.shape[0]
    image = _blur(image, rng)
    contrast, brightness = np.exp(rng.normal(0, 0.14)), rng.normal(0, 0.04)
    image = (image - 0.5) * contrast + 0.5 + brightness
    balance = 1 + rng.normal(0, 0.04, 3).astype(np.float32)
    image = image * balance
    grey = image.mean(2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.03 else np.clip(rng.normal(1.0, 0.18), 0.3, 1.5)
    image = grey + saturation * (image - grey)
    if rng.random() < 0.2:  # taken small, shown large
        small = int(size * rng.uniform(0.4, 0.9))
        image = cv2.resize(image.astype(np.float32), (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    noise = np.exp(rng.uniform(np.log(0.002), np.log(0.03)))
    image = image + noise * rng.standard_normal(image.shape, dtype=np.float32)
    image = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(30, 85))]
        image = cv2.imdecode(cv2.imencode('.jpg', image, quality)[1], cv2.IMREAD_COLOR)
    return image


def _blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = image.shape[0]
    kind = rng.random()
    if kind < 0.4:  # defocus
        return cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.0015, 0.006))
    if kind < 0.52:  # motion
        length = max(3, int(size * rng.uniform(0.01, 0.035))) | 1
        kernel = np.zeros((length, length), np.float32)
        angle, middle = rng.uniform(0, np.pi), length // 2
        reach = np.array([np.cos(angle), np.sin(angle)]) * middle
        ends = [tuple(int(v) for v in np.rint(middle + sign * reach)) for sign in (-1, 1)]
        cv2.line(kernel, *ends, 1.0)
        return cv2.filter2D(image, -1, kernel / kernel.sum())
    return image
