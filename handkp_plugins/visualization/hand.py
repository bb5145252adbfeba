"""The skeleton of a hand drawn on an image."""

import cv2
import numpy as np

from handkp_plugins.structures.images import check_image
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_COLORS, NUM_KEYPOINTS

_SUBPIXEL_BITS = 4
_FAINT_OPACITY = 0.35


def draw_hand(
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray | None = None,
    score_thr: float = 0.3,
    bbox: np.ndarray | None = None,
) -> np.ndarray:
    """Draw 21 keypoints and 20 bones; line widths follow the size of the hand in the picture.

    Args:
        image: BGR, uint8, [H, W, 3]; it is not modified.
        keypoints: pixels, [21, 2].
        scores: confidence or visibility, [21]. Below ``score_thr`` a keypoint and its bones are faint; at 0 or less
            they are not drawn. By default all are drawn in full.
        bbox: (x1, y1, x2, y2) in pixels, drawn as a thin white rectangle with a dark rim.

    Returns:
        A new BGR image of the same shape.

    Raises:
        ValueError: a shape or type is wrong, or a keypoint that is to be drawn is not finite.
    """
    check_image(image)
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.shape != (NUM_KEYPOINTS, 2):
        raise ValueError(f'keypoints: expected shape ({NUM_KEYPOINTS}, 2), got {keypoints.shape}')
    scores = np.ones(NUM_KEYPOINTS) if scores is None else np.asarray(scores, dtype=np.float64)
    if scores.shape != (NUM_KEYPOINTS,):
        raise ValueError(f'scores: expected shape ({NUM_KEYPOINTS},), got {scores.shape}')
    drawn = scores > 0
    if not np.isfinite(keypoints[drawn]).all():
        raise ValueError(f'keypoints: expected finite numbers, got {keypoints[drawn].tolist()}')

    canvas = image.copy()
    if bbox is not None:
        x1, y1, x2, y2 = (round(float(v)) for v in bbox)
        for ink, width in ((40, 3), (255, 1)):  # a dark rim, to show on white too
            cv2.rectangle(canvas, (x1, y1), (x2, y2), (ink, ink, ink), width)
    if not drawn.any():
        return canvas
    width = line_width(keypoints[drawn])
    clear = scores >= score_thr
    if (drawn & ~clear).any():
        layer = _draw_parts(canvas.copy(), keypoints, drawn, ~clear, width)
        canvas = cv2.addWeighted(layer, _FAINT_OPACITY, canvas, 1 - _FAINT_OPACITY, 0)
    return _draw_parts(canvas, keypoints, drawn & clear, clear, width)


def draw_label(image: np.ndarray, text: str, bbox: np.ndarray) -> np.ndarray:
    """Write a line of text above a box (x1, y1, x2, y2), or below it where there is no room, white on a dark rim.

    Returns:
        A new BGR image of the same shape.
    """
    check_image(image)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in bbox)
    size = float(np.clip((x2 - x1) / 250, 0.4, 2.0))
    (length, tall), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x = int(np.clip(x1, 0, max(0, width - length)))
    y = y1 - below if y1 - below - tall >= 0 else y2 + tall + below
    place = (x, int(np.clip(y, tall, height - below)))
    canvas = image.copy()
    # the rim is the text moved about: a thicker line would set the letters at other distances
    for dx, dy, ink in ((-2, 0, 40), (2, 0, 40), (0, -2, 40), (0, 2, 40), (0, 0, 255)):
        at = (place[0] + dx, place[1] + dy)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (ink, ink, ink), 1, cv2.LINE_AA)
    return canvas


def line_width(keypoints: np.ndarray) -> int:
    """Width of a bone in pixels: about one fortieth of the extent of the keypoints [K, 2]."""
    return max(1, round(float(np.ptp(keypoints, axis=0).max()) / 40))


def _draw_parts(
    canvas: np.ndarray,
    keypoints: np.ndarray,
    drawn: np.ndarray,
    own: np.ndarray,
    width: int,
) -> np.ndarray:
    """Draw the keypoints that are ``drawn`` and ``own``, and their bones, onto the canvas; returns the canvas.

    A bone belongs to the fainter of its two ends, so the faint layer (``own`` = faint) takes every bone that touches a
    faint keypoint and the clear layer (``drawn`` = clear) takes the rest.
    """
    points = np.round(np.clip(np.nan_to_num(keypoints), -1e5, 1e5) * 2**_SUBPIXEL_BITS).astype(int)
    colors = [tuple(reversed(c)) for c in KEYPOINT_COLORS]
    for a, b in BONES:
        if drawn[a] and drawn[b] and (own[a] or own[b]):
            cv2.line(canvas, points[a].tolist(), points[b].tolist(), colors[b], width, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = round((0.5 + 0.75 * width) * 2**_SUBPIXEL_BITS)
    for k in np.flatnonzero(drawn & own):
        cv2.circle(canvas, points[k].tolist(), radius, colors[k], -1, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.circle(canvas, points[k].tolist(), radius, (40, 40, 40), 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return canvas
