"""Exposure of rendered light, and the random camera that takes the generator's images."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from handkp_plugins.imaging.camera import adjust_color, coarsen, convolve, disc_kernels, line_kernels
from handkp_plugins.imaging.jpeg import jpeg_compress

_WHITE = 2.2  # linear brightness that comes out white


def exposure(linear: np.ndarray, rng: np.random.Generator) -> float:
    """A factor of linear colours (V, 3) by which the hand is neither black nor burnt, most of the time."""
    brightness = float(np.percentile(linear.mean(1), 70)) + 1e-6
    target = np.clip(np.exp(rng.normal(np.log(0.55), 0.45)), 0.08, 1.3)
    # meet the target most of the way, so that dark skin stays darker than light skin
    return (target / brightness) ** 0.7


def tone_map(linear: np.ndarray, factor: float) -> np.ndarray:
    """Expose linear colours (V, 3) by a factor and compress the highlights, as film and phones do."""
    exposed = linear * factor
    grey = exposed.mean(1, keepdims=True) + 1e-6
    # by brightness alone colours would glow, by channel they would fade: the mean of both
    return 0.5 * (exposed * _reinhard(grey) / grey + _reinhard(exposed))


def _reinhard(linear: np.ndarray) -> np.ndarray:
    """Reinhard's tone curve, which reaches white at a finite brightness."""
    return linear * (1 + linear / _WHITE**2) / (1 + linear)


@dataclass(frozen=True)
class CameraSettings:
    """What a camera does to each image that it takes."""

    defocus: float  # radius of the blur in pixels; 0 for none
    motion: np.ndarray | None  # pixels (2,) by which everything moves during the exposure
    contrast: float  # factor about mid grey
    brightness: float  # is added
    gain: np.ndarray  # (3,) factors of red, green and blue
    saturation: float  # factor; 0 is grey
    resolution: float  # share of the height and width that the image has before it is enlarged
    noise: float  # deviation
    quality: int | None  # of JPEG, 1 to 100; None for no compression


def random_camera(size: int, rng: np.random.Generator) -> CameraSettings:
    """A middling camera for images ``size`` pixels high."""
    kind, defocus, motion = rng.random(), 0.0, None
    if kind < 0.4:
        defocus = size * rng.uniform(0.003, 0.012)
    elif kind < 0.52:
        length, angle = size * rng.uniform(0.01, 0.035), rng.uniform(0, np.pi)
        motion = length * np.array([np.cos(angle), np.sin(angle)])
    return CameraSettings(
        defocus=defocus,
        motion=motion,
        contrast=np.exp(rng.normal(0, 0.14)),
        brightness=rng.normal(0, 0.04),
        gain=1 + rng.normal(0, 0.04, 3),
        saturation=0.0 if rng.random() < 0.03 else np.clip(rng.normal(1.0, 0.18), 0.3, 1.5),
        resolution=rng.uniform(0.4, 0.9) if rng.random() < 0.2 else 1.0,
        noise=np.exp(rng.uniform(np.log(0.002), np.log(0.03))),
        quality=int(rng.uniform(30, 85)) if rng.random() < 0.3 else None,
    )


def apply_camera(image: np.ndarray, camera: CameraSettings, rng: np.random.Generator) -> np.ndarray:
    """Take a sharp image (H, W, 3), RGB, sRGB 0…1, with a camera: 8 bit, with new noise each time."""
    if camera.motion is not None:
        image = motion_blur(image, camera.motion)
    batch = _to_batch(image)
    if camera.defocus:
        batch = convolve(batch, disc_kernels(_tensor(camera.defocus), int(np.ceil(camera.defocus))))
    offset = torch.full((1, 1, 1), 0.5 * (1 - camera.contrast) + camera.brightness)
    gain, saturation, contrast = map(_tensor, (camera.gain[::-1], camera.saturation, camera.contrast))
    batch = adjust_color(batch, gain, saturation, contrast, offset)
    if camera.resolution < 1:
        height, width = image.shape[:2]
        batch = coarsen(batch, (int(camera.resolution * height), int(camera.resolution * width)))
    noise = _to_batch(rng.standard_normal(image.shape, dtype=np.float32))
    batch = batch.add_(noise, alpha=camera.noise).clamp_(0, 1)
    if camera.quality:
        batch = jpeg_compress(batch, _tensor(camera.quality))
    return _to_image(batch.mul_(255).round_().to(torch.uint8))


def motion_blur(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Blur an image (H, W, C) of something that moves by (2,) pixels, half before and half after."""
    if np.abs(shift).max() < 1:
        return image
    half, angle = 0.5 * np.hypot(*shift), np.arctan2(shift[1], shift[0])
    kernel = line_kernels(_tensor(half), _tensor(angle), int(np.ceil(half)))
    return _to_image(convolve(_to_batch(image), kernel))


def _tensor(value: np.ndarray | float) -> Tensor:
    """Make a batch of one."""
    return torch.from_numpy(np.array([value], np.float32))


def _to_batch(image: np.ndarray) -> Tensor:
    """(H, W, C) → (1, C, H, W), with the channels reversed: RGB to BGR."""
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1), dtype=np.float32))[None]


def _to_image(batch: Tensor) -> np.ndarray:
    """(1, C, H, W) → (H, W, C), with the channels reversed."""
    return np.ascontiguousarray(batch[0].permute(1, 2, 0).numpy()[..., ::-1])
