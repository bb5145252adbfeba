"""Where the hands of an image are, as users of the tools say: by boxes, by a COCO file, or the whole image."""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.structures.boxes import xywh_to_xyxy

from .inference import check_boxes


class Hand(NamedTuple):
    """A box (x1, y1, x2, y2) and, if they are asked for and known, keypoints (x, y, visibility), [21, 3]."""

    box: np.ndarray
    keypoints: np.ndarray | None = None


HandFinder = Callable[[Path, int, int], list[Hand]]
"""(path of an image, width, height) → its hands. Raises ValueError if it has none, or a box does not fit the image."""


def make_hand_finder(
    bboxes: Sequence[Sequence[float]] | None,
    whole_image: bool,
    ann: str | Path | None,
    with_keypoints: bool = False,
) -> HandFinder:
    """Return the function that finds the hands of an image; exactly one of the first three arguments must be given.

    Args:
        bboxes: (x, y, width, height) in pixels, the same for every image.
        whole_image: Take the whole image as the box.
        ann: COCO JSON with a box for each hand; errors are those of :func:`read_hands`.
        with_keypoints: The annotations must have keypoints, too.
    """
    ways = (bboxes is not None) + bool(whole_image) + (ann is not None)
    if ways != 1:
        raise ValueError(
            'the box of the hand: expected one of --bbox X Y W H, or --ann FILE (COCO JSON with boxes), or '
            f'--whole-image, got {ways or "none"}'
        )
    for box in bboxes or ():
        if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
            raise ValueError(f'--bbox: expected X Y W H with W and H above 0, got {list(box)}')
    annotated = None if ann is None else read_hands(ann, with_keypoints)

    def find(path: Path, width: int, height: int) -> list[Hand]:
        if annotated is not None:
            hands = _find_image(annotated, path, ann)
        else:
            hands = [Hand(box) for box in xywh_to_xyxy(bboxes or [(0, 0, width, height)]).astype(np.float32)]
        check_boxes(np.array([hand.box for hand in hands]), width, height)
        return hands

    return find


def read_hands(ann: str | Path, with_keypoints: bool = False) -> dict[str, list[Hand]]:
    """Read the hands of each image of a COCO file, by the image's ``file_name``. Crowds are left out.

    Errors are those of :class:`~handkp_plugins.fileio.coco_file.CocoFile`.
    """
    file = CocoFile(ann, ('id', 'file_name'), ('id', 'image_id', 'bbox', *(['keypoints'] if with_keypoints else [])))
    names = {image['id']: str(image['file_name']) for image in file.images}
    hands: dict[str, list[Hand]] = {name: [] for name in names.values()}
    if len(hands) < len(names):
        raise ValueError(f'{ann}: file_name: expected another for each image, got {len(hands)} for {len(names)} images')
    boxes = xywh_to_xyxy(file.boxes()).astype(np.float32)
    keypoints = file.keypoints() if with_keypoints else [None] * len(boxes)
    for annotation, box, points in zip(file.annotations, boxes, keypoints, strict=True):
        if not annotation.get('iscrowd'):
            hands[names[annotation['image_id']]].append(Hand(box, points))
    return hands


def _find_image(hands: dict[str, list[Hand]], path: Path, ann: str | Path) -> list[Hand]:
    """Return the hands of the image whose ``file_name`` shares the most parts with the end of the path."""
    shared = defaultdict(list)
    for name in hands:
        if name.endswith(path.name):  # a quick check before the name is split
            shared[_common_end(Path(name), path.absolute())].append(name)
    shared.pop(0, None)
    if not shared:
        raise ValueError(f'{ann} has no image of this name; it has, for instance, {list(hands)[:3]}')
    found = shared[max(shared)]
    if len(found) > 1:
        raise ValueError(f'{ann} has several images of this name: {found[:3]}')
    if not hands[found[0]]:
        raise ValueError(f'{ann} has no box for this image')
    return hands[found[0]]


def _common_end(a: Path, b: Path) -> int:
    return len(os.path.commonprefix([a.parts[::-1], b.parts[::-1]]))
