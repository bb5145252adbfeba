"""Checks of images in memory."""

import numpy as np


def check_image(image: np.ndarray) -> None:
    """Raise ValueError unless the image is BGR: uint8, [H, W, 3]."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        received = f'{image.dtype} {image.shape}' if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f'image: expected a uint8 array [H, W, 3], got {received}')
