"""Read and check an annotation file of views of hands."""

from typing import Any

import numpy as np

from handkp_plugins.fileio.coco_file import CocoFile, as_array, first_true
from handkp_plugins.structures.cameras import rotation_fault

_SHAPES = {'K': (3, 3), 'R': (3, 3), 't': (3,)}


def read_view_file(path: str) -> CocoFile:
    """Read an annotation file of views, and check it.

    Its form is that of COCO: ``images`` have ``frame_id`` (the moment) and ``view_id`` (the camera), integers, and
    ``camera`` where it is known: ``K`` 3×3, and from the world to the camera ``R`` 3×3 and ``t`` 3 in metres. Each
    image has one annotation, with ``bbox``, ``handedness`` and ``pseudo_keypoints``, 21 × (x, y, confidence); for
    tests also ``keypoints_3d``, 21×3 metres in the camera's frame.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file or one of its records is not of that form; the message names the first one.
    """
    file = CocoFile(
        path,
        ('id', 'file_name', 'width', 'height', 'frame_id', 'view_id'),
        ('id', 'image_id', 'bbox', 'handedness', 'pseudo_keypoints'),
    )
    file.image_sizes()
    for i in first_true(~(file.boxes()[:, 2:] > 0).all(1)):
        raise file.error(file.annotations[i], 'bbox: expected a width and height above 0', file.annotations[i]['bbox'])
    confidences = file.keypoints(key='pseudo_keypoints')[..., 2]
    for i in first_true(~((confidences >= 0) & (confidences <= 1)).all(1)):
        worst = confidences[i][np.abs(confidences[i] - 0.5).argmax()]
        raise file.error(file.annotations[i], 'pseudo_keypoints: expected confidences from 0 to 1', float(worst))
    for annotation in file.annotations:
        if annotation['handedness'] not in ('left', 'right'):
            got = repr(annotation['handedness'])
            raise file.error(annotation, "handedness: expected 'left' or 'right'", got)
        if 'keypoints_3d' in annotation:
            points = as_array(annotation['keypoints_3d'])
            if points is None or points.shape not in ((21, 3), (63,)) or not np.isfinite(points).all():
                got = 'other values' if points is None else f'an array {points.shape}'
                raise file.error(annotation, 'keypoints_3d: expected 21 × (x, y, z), finite', got)
    counts: dict[Any, int] = {}
    for annotation in file.annotations:
        counts[annotation['image_id']] = counts.get(annotation['image_id'], 0) + 1
    seen: dict[tuple[int, int], Any] = {}
    for image in file.images:
        where = f'{path}: image {image["id"]}'
        place = image['frame_id'], image['view_id']
        if not all(isinstance(v, int) and not isinstance(v, bool) for v in place):
            raise ValueError(f'{where}: frame_id, view_id: expected whole numbers, got {place[0]!r}, {place[1]!r}')
        if place in seen:
            raise ValueError(
                f'{where}: frame_id, view_id: expected one image of each, got those of image {seen[place]}'
            )
        seen[place] = image['id']
        if counts.get(image['id']) != 1:
            raise ValueError(f'{where}: expected one annotation, got {counts.get(image["id"], 0)}')
        _check_camera(where, image)
    return file


def _check_camera(where: str, image: dict) -> None:
    camera = image.get('camera') or {}
    for key, shape in _SHAPES.items():
        if key in camera:
            value = as_array(camera[key])
            if value is None or value.shape != shape or not np.isfinite(value).all():
                raise ValueError(f'{where}: camera.{key}: expected numbers of shape {shape}, got {camera[key]!r}')
    if 'R' in camera:
        fault = rotation_fault(np.array(camera['R'], float))
        if fault:
            raise ValueError(f'{where}: camera.R: expected a rotation from the world to the camera, got {fault}')
    if 'K' in camera:
        center, size = np.array(camera['K'], float)[:2, 2], np.array([image['width'], image['height']])
        if not ((center > 0) & (center < size)).all():
            raise ValueError(
                f'{where}: camera.K: expected a principal point inside {size[0]}×{size[1]}, '
                f'got ({center[0]:g}, {center[1]:g}), as of an image of another size'
            )
