"""Draw the skeletons of hands on images."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.images import check_image
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_COLORS, NUM_KEYPOINTS

_SUBPIXEL_BITS = 4
_FAINT_OPACITY = 0.35
_VIEW_IN_SPACE = Rotation.from_euler('xy', [35, -60], degrees=True).as_matrix()[:2]
_WIDTH_IN_SPACE = 0.3  # metres


def draw_hand(
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray | None = None,
    score_thr: float = 0.3,
    bbox: np.ndarray | None = None,
) -> np.ndarray:
    """Draw 21 keypoints and 20 bones on a copy of the image; the line width follows the size of the hand.

    Args:
        image: BGR, uint8, [H, W, 3].
        keypoints: Pixels, [21, 2].
        scores: Confidence or visibility, [21]; all 1 by default. At 0 or less a keypoint and its bones are not drawn.
        score_thr: Keypoints with a lower score and their bones are faint.
        bbox: Box (x1, y1, x2, y2) in pixels, drawn as a thin white rectangle with a dark outline.

    Raises ValueError if a shape or type is wrong, or a keypoint to draw is not finite.
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
        for ink, width in ((40, 3), (255, 1)):  # the dark outline shows on white, too
            cv2.rectangle(canvas, (x1, y1), (x2, y2), (ink, ink, ink), width)
    if not drawn.any():
        return canvas
    width = line_width(keypoints[drawn])
    clear = scores >= score_thr
    if (drawn & ~clear).any():
        layer = _draw_parts(canvas.copy(), keypoints, drawn, ~clear, width)
        canvas = cv2.addWeighted(layer, _FAINT_OPACITY, canvas, 1 - _FAINT_OPACITY, 0)
    return _draw_parts(canvas, keypoints, drawn & clear, clear, width)


def draw_hands_3d(points: np.ndarray, side: int) -> np.ndarray:
    """Draw hands (H, 21, 3) in metres in the camera's frame on white, [side, side, 3], seen from the right and above.

    The view is parallel, about the middle of the keypoints, and 0.3 m wide, or wider where the hands need it.
    """
    pixels = (points - points.reshape(-1, 3).mean(0)) @ _VIEW_IN_SPACE.T
    wide = max(_WIDTH_IN_SPACE, 2.2 * float(np.abs(pixels).max()))
    canvas = np.full((side, side, 3), 255, np.uint8)
    for hand in pixels:
        canvas = draw_hand(canvas, side * (0.5 + hand / wide))
    return canvas


def draw_label(image: np.ndarray, text: str, bbox: np.ndarray) -> np.ndarray:
    """Write text on a copy of the image, above a box (x1, y1, x2, y2) or, if there is no room, below it."""
    check_image(image)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in bbox)
    size = float(np.clip((x2 - x1) / 250, 0.4, 2.0))
    (length, tall), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x = int(np.clip(x1, 0, max(0, width - length)))
    y = y1 - below if y1 - below - tall >= 0 else y2 + tall + below
    place = (x, int(np.clip(y, tall, height - below)))
    canvas = image.copy()
    # shifted copies make the outline: a thicker line would change the distances between letters
    for dx, dy, ink in ((-2, 0, 40), (2, 0, 40), (0, -2, 40), (0, 2, 40), (0, 0, 255)):
        at = (place[0] + dx, place[1] + dy)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (ink, ink, ink), 1, cv2.LINE_AA)
    return canvas


def draw_hands(image: np.ndarray, hands: Sequence[Any], score_thr: float = 0.3) -> np.ndarray:
    """Draw skeletons, boxes and labels of all hands on a copy of the image; see :func:`draw_hand`.

    A hand has ``box``, ``keypoints``, ``scores`` and a method ``label``, as the demo's ``HandResult``.
    """
    canvas = image.copy()
    for hand in hands:
        canvas = draw_hand(canvas, hand.keypoints, hand.scores, score_thr, hand.box)
    for hand in hands:  # labels lie above all skeletons
        if hand.label():
            canvas = draw_label(canvas, hand.label(), hand.box)
    return canvas


def draw_beside_label(
    image: np.ndarray,
    box: np.ndarray,
    predicted: np.ndarray,
    label: np.ndarray,
    labelled: np.ndarray,
    size: int = 224,
    margin: float = 1.5,
) -> np.ndarray:
    """Crop a hand twice: left with the prediction, right with the label, each [size, size, 3], grey outside the image.

    The crop is ``margin`` times the longer side of the box (x1, y1, x2, y2). Prediction and label are [21, 2] in pixels
    of the BGR image; a label is drawn only where ``labelled`` [21].
    """
    center, side = (box[:2] + box[2:]) / 2, margin * (box[2:] - box[:2]).max()
    scale = size / side
    warp = np.column_stack([scale * np.eye(2), size / 2 - scale * center])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(image, warp, (size, size), flags=interpolation, borderValue=(128, 128, 128))
    halves = []
    for points, drawn in ((predicted, np.isfinite(predicted).all(1)), (label, labelled)):
        placed = np.nan_to_num((points - center) * scale + size / 2)
        halves.append(draw_hand(crop, placed, np.asarray(drawn, float)))
    return np.hstack(halves)


def line_width(keypoints: np.ndarray) -> int:
    """Return the width of a bone in pixels: about one fortieth of the extent of the keypoints [K, 2]."""
    return max(1, round(float(np.ptp(keypoints, axis=0).max()) / 40))


def _draw_parts(
    canvas: np.ndarray, keypoints: np.ndarray, drawn: np.ndarray, own: np.ndarray, width: int
) -> np.ndarray:
    """Draw the keypoints that are ``drawn`` and ``own``, and their bones, onto the canvas; return the canvas.

    A bone is as faint as the fainter of its ends: the faint layer (``own`` = faint) takes every bone that touches a
    faint keypoint, the clear layer (``drawn`` = clear) the rest.
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
