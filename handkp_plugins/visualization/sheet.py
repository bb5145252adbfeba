"""Contact sheets: many images in one, with captions."""

from collections.abc import Sequence

import cv2
import numpy as np

from handkp_plugins.structures.images import check_image

_CAPTION_HEIGHT = 20
_GAP = 4
_INK, _PAPER = (40, 40, 40), (255, 255, 255)


def tile(
    images: Sequence[np.ndarray],
    columns: int,
    captions: Sequence[str] | None = None,
    cell: tuple[int, int] | None = None,
) -> np.ndarray:
    """Arrange images in rows, left to right, on white; each keeps its aspect ratio and is centred in its cell.

    Args:
        images: BGR, uint8, [H, W, 3] each, of any sizes.
        columns: Images per row.
        captions: A line above each image; smaller where it is too long for the cell.
        cell: Width and height of a cell in pixels; by default those of the widest and of the highest image.
    """
    if len(images) == 0:
        raise ValueError('images: expected at least one, got none')
    for image in images:
        check_image(image)
    width, height = cell or (max(i.shape[1] for i in images), max(i.shape[0] for i in images))
    if columns < 1 or width < 1 or height < 1:
        raise ValueError(f'columns, cell: expected at least 1, got {columns}, {(width, height)}')
    if captions is not None and len(captions) != len(images):
        raise ValueError(f'captions: expected {len(images)}, one per image, got {len(captions)}')

    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    top = _CAPTION_HEIGHT if captions is not None else 0
    step_x, step_y = width + _GAP, height + top + _GAP
    sheet = np.full((rows * step_y + _GAP, columns * step_x + _GAP, 3), _PAPER, np.uint8)
    for i, image in enumerate(images):
        x, y = _GAP + (i % columns) * step_x, _GAP + (i // columns) * step_y
        fitted = _fit(image, width, height)
        h, w = fitted.shape[:2]
        x0, y0 = x + (width - w) // 2, y + top + (height - h) // 2
        sheet[y0 : y0 + h, x0 : x0 + w] = fitted
        if captions is not None:
            _write(sheet, captions[i], x, y + top - 6, width)
    return sheet


def _fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image to fit into width × height."""
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _write(sheet: np.ndarray, text: str, x: int, baseline: int, width: int) -> None:
    """Write one line onto the sheet, small enough for the width."""
    size = 0.45
    text_width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0][0]
    size *= min(1.0, width / max(1, text_width))
    cv2.putText(sheet, text, (x, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
