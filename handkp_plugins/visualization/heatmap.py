"""Overlay a heatmap on an image."""

import cv2
import numpy as np

from handkp_plugins.structures.images import check_image


def heatmap_overlay(
    image: np.ndarray,
    heatmap: np.ndarray,
    opacity: float = 0.5,
    value_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """Blend a map, in colours from blue (low) to red (high), over an image.

    Args:
        image: BGR, uint8, [H, W, 3]; it is not modified.
        heatmap: [h, w], finite, resized to the size of the image.
        opacity: Share of the map in the result, 0 to 1.
        value_range: The values that are blue and red; minimum and maximum of the map by default. A constant map is
            blue.
    """
    check_image(image)
    heatmap = np.asarray(heatmap, dtype=np.float32)
    if heatmap.ndim != 2 or heatmap.size == 0:
        raise ValueError(f'heatmap: expected shape [h, w], got {heatmap.shape}')
    if not np.isfinite(heatmap).all():
        raise ValueError('heatmap: expected finite numbers, got NaN or infinity')
    if not 0 <= opacity <= 1:
        raise ValueError(f'opacity: expected 0 to 1, got {opacity}')
    low, high = value_range or (float(heatmap.min()), float(heatmap.max()))
    scaled = np.clip((heatmap - low) / max(high - low, 1e-12), 0, 1)
    resized = cv2.resize(scaled, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    colored = cv2.applyColorMap(np.round(255 * resized).astype(np.uint8), cv2.COLORMAP_JET)
    return cv2.addWeighted(colored, opacity, image, 1 - opacity, 0)
