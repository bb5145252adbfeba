"""Check a COCO keypoint file before MMPose reads it, so that an error names the file and the record."""

import logging
from typing import Any

import numpy as np
from mmengine.logging import print_log

from handkp_plugins.fileio.coco_file import CocoFile, first_true
from handkp_plugins.structures.boxes import box_sizes, clip_boxes, xywh_to_xyxy

_IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
_ANNOTATION_KEYS = ('id', 'image_id', 'category_id', 'bbox', 'keypoints')


def check_keypoint_file(path: str, num_keypoints: int = 21) -> int:
    """Check that MMPose's top-down datasets can read a COCO keypoint file; returns how many annotations they will use.

    Each annotation needs a box with an area and ``num_keypoints`` × (x, y, visibility), finite, with a visibility of 0
    or more and at least one labelled keypoint (visibility above 0). Annotations with ``iscrowd`` 1 or ``num_keypoints``
    0 need neither. MMPose leaves these out, and those whose box is outside the image; their number is logged. Raises
    FileNotFoundError, or ValueError that names the first malformed record.
    """
    file = CocoFile(path, _IMAGE_KEYS, _ANNOTATION_KEYS)
    limits = file.image_sizes() - 1
    visibility, boxes = file.keypoints(num_keypoints)[..., 2], file.boxes()
    exempt = np.array([bool(a.get('iscrowd')) or a.get('num_keypoints', 1) == 0 for a in file.annotations])
    for i in first_true((visibility < 0).any(1)):
        raise file.error(file.annotations[i], 'keypoints: expected a visibility from 0 on', float(visibility[i].min()))
    for i in first_true((boxes[:, 2:] <= 0).any(1) & ~exempt):
        raise file.error(file.annotations[i], 'bbox: expected a width and height above 0', boxes[i].tolist())
    for i in first_true((visibility == 0).all(1) & ~exempt):
        expected = 'keypoints: expected a labelled one (visibility above 0), or num_keypoints: 0 to leave it out'
        raise file.error(file.annotations[i], expected, 'none labelled')
    # as MMPose clips boxes
    outside = (box_sizes(clip_boxes(xywh_to_xyxy(boxes), limits)) <= 0).any(1)
    ids = [file.annotations[i]['id'] for i in np.flatnonzero(exempt | outside)]
    reason = 'crowds, marked as without keypoints, or with a box outside their image'
    return log_left_out(path, ids, len(file.annotations), reason)


def log_left_out(path: str, ids: list[Any], total: int, reason: str) -> int:
    """Log which of ``total`` annotations are left out, and return how many remain; raises ValueError if none does."""
    if ids:
        text = (
            f'{path}: {len(ids)} of {total} annotations are left out, being {reason}: '
            f'ids {", ".join(map(str, ids[:10]))}' + (', …' if len(ids) > 10 else '')
        )
        if len(ids) == total:
            raise ValueError(f'{text}; nothing remains')
        print_log(text, logger='current', level=logging.WARNING)
    return total - len(ids)
