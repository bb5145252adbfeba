"""Noisy keypoints with confidences, such as a 2D detector gives, made from true ones.

This is a model: its numbers are chosen, not measured on a detector.
"""

import numpy as np

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS, NUM_KEYPOINTS

SIZE = 224  # of the images that the pixels below are of
NOISE, NOISE_HIDDEN = 3.0, 8.0  # pixels, deviation of x and of y
GROSS_SHARE, GROSS_SHARE_HIDDEN = 0.02, 0.10  # of keypoints
GROSS_SHIFT = 60.0  # pixels, greatest along x and y
FINGER_SHARE, TURN_SHARE = 0.08, 0.10  # of images
TURN = (45.0, 180.0)  # degrees
CONFIDENCE, CONFIDENCE_FALL, CONFIDENCE_HIDDEN, CONFIDENCE_NOISE = 0.75, 25.0, 0.7, 0.25
CONFIDENCE_LIMITS = (0.05, 1.0)

_FINGERS = np.array(list(FINGER_KEYPOINTS.values()))  # (5, 4)
_NEXT_FINGER = np.array([1, 2, 3, 4, 3])  # the little finger has one neighbour only
_NEXT = np.arange(NUM_KEYPOINTS)
_NEXT[_FINGERS] = _FINGERS[_NEXT_FINGER]


def make_pseudo_keypoints(points: np.ndarray, hidden: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Make noisy keypoints (N, 21, 3): x, y and a confidence.

    Lengths are pixels of images of 224×224, and are scaled to ``size``.

    - noise: σ 3 along x and y, 8 for hidden keypoints
    - gross errors: 2 % of the keypoints, 10 % of the hidden ones. One half lies on the same joint of the next finger
      (the ring finger for the little one), the other half and the wrist up to ±60 away along x and y, uniformly
    - one finger on its next finger in 8 % of the images
    - the whole hand turned about its middle by 45° to 180°, either way, in 10 % of the images
    - confidence: clip(.75·exp(−error/25) + N(0, .25), .05, 1), where the first term is times .7 for hidden keypoints

    Args:
        points: True keypoints (N, 21, 2) in pixels.
        hidden: (N, 21), True for keypoints that are occluded or outside the image.
        size: Width of the images in pixels.
        rng: Random numbers.
    """
    points, hidden = np.asarray(points, dtype=float), np.asarray(hidden, dtype=bool)
    if points.ndim != 3 or points.shape[1:] != (NUM_KEYPOINTS, 2):
        raise ValueError(f'points: expected shape (N, {NUM_KEYPOINTS}, 2), got {points.shape}')
    if hidden.shape != points.shape[:2]:
        raise ValueError(f'hidden: expected shape {points.shape[:2]}, got {hidden.shape}')
    if not np.isfinite(points).all():
        raise ValueError('points: expected finite numbers, got NaN or infinity')
    if size < 1:
        raise ValueError(f'size: expected 1 or more, got {size}')
    unit = size / SIZE
    num = len(points)

    source = np.tile(np.arange(NUM_KEYPOINTS), (num, 1))
    moved = np.flatnonzero(rng.random(num) < FINGER_SHARE)
    finger = _FINGERS[rng.integers(len(_FINGERS), size=len(moved))]
    source[moved[:, None], finger] = _NEXT[finger]

    gross = rng.random(hidden.shape) < np.where(hidden, GROSS_SHARE_HIDDEN, GROSS_SHARE)
    swapped = gross & (rng.random(hidden.shape) < 0.5) & (np.arange(NUM_KEYPOINTS) > 0)
    source = np.where(swapped, _NEXT[source], source)
    noisy = np.take_along_axis(points, source[..., None], axis=1)
    noisy += (gross & ~swapped)[..., None] * rng.uniform(-GROSS_SHIFT, GROSS_SHIFT, points.shape) * unit
    noisy += np.where(hidden, NOISE_HIDDEN, NOISE)[..., None] * rng.standard_normal(points.shape) * unit

    angle = np.radians(rng.uniform(*TURN, num)) * rng.choice([-1, 1], num) * (rng.random(num) < TURN_SHARE)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2)
    middle = points.mean(1, keepdims=True)
    noisy = middle + np.einsum('nij,nkj->nki', turn, noisy - middle)

    error = np.linalg.norm(noisy - points, axis=-1) / unit
    confidence = CONFIDENCE * np.exp(-error / CONFIDENCE_FALL) * np.where(hidden, CONFIDENCE_HIDDEN, 1.0)
    confidence = np.clip(confidence + CONFIDENCE_NOISE * rng.standard_normal(error.shape), *CONFIDENCE_LIMITS)
    return np.concatenate([noisy, confidence[..., None]], axis=-1)
