"""Where the hands of a picture are, as the user of a tool says: by boxes, by a COCO file, or the whole picture."""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from handkp_plugins.datasets.checks.keypoint_files import numbers_of, read_json, records_of

from .detection import DEFAULT_DETECTOR
from .inference import check_boxes
from .networks import Network, named_network


class Hand(NamedTuple):
    """A box (x1, y1, x2, y2) and, where they were asked for and are known, keypoints (x, y, visibility), [21, 3]."""

    box: np.ndarray
    keypoints: np.ndarray | None = None


HandFinder = Callable[[Path, int, int], list[Hand]]
"""(path of a picture, width, height) → its hands; a ValueError where there is none, or a box is unfit for it."""


def make_hand_finder(
    bboxes: Sequence[Sequence[float]] | None,
    whole_image: bool,
    ann: str | Path | None,
    with_keypoints: bool = False,
) -> HandFinder:
    """How to find the hands of a picture; exactly one of the first three must be given.

    Args:
        bboxes: (x, y, width, height) in pixels, the same for every picture.
        whole_image: take the whole picture as the box.
        ann: COCO JSON with a box for each hand; see :func:`read_hands`.
        with_keypoints: the annotations must have keypoints, too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: none or several are given, a box is none, or the file is not of that form.
    """
    if (bboxes is not None) + bool(whole_image) + (ann is not None) != 1:
        raise ValueError(
            'expected the box of the hand, in one way: --bbox X Y W H, or --ann FILE (COCO JSON with boxes), or '
            '--whole-image to take the whole picture as the box'
        )
    for box in bboxes or ():
        if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
            raise ValueError(f'--bbox: expected X Y W H with W and H above 0, got {list(box)}')
    if ann is not None:
        named = read_hands(ann, with_keypoints)

    def find(path: Path, width: int, height: int) -> list[Hand]:
        if ann is not None:
            hands = _find(named, path, ann)
        else:
            hands = [Hand(_corners(box)) for box in bboxes or [(0, 0, width, height)]]
        check_boxes(np.array([hand.box for hand in hands]), width, height)
        return hands

    return find


def choose_boxes(
    bboxes: Sequence[Sequence[float]] | None,
    whole_image: bool,
    ann: str | Path | None,
    det: Sequence[str | Path] | None,
) -> tuple[HandFinder | None, Network | None]:
    """How to find the hands of a picture where a detector is a way, too: its network, or a finder as of
    :func:`make_hand_finder`. The shipped detector is taken where nothing is given.

    Args:
        det: NAME of shipped weights, or config and checkpoint.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: as :func:`make_hand_finder`; or there are no such weights.
    """
    ways = (bboxes is not None) + bool(whole_image) + (ann is not None)
    if not ways and det is None:
        det = [DEFAULT_DETECTOR]
    if ways + (det is not None) != 1:
        raise ValueError(
            'where the hands are can be said in one way only: --det NAME or --det CONFIG CHECKPOINT (a detector), or '
            '--bbox X Y W H, or --ann FILE (COCO JSON with boxes), or --whole-image (the whole picture as the box)'
        )
    if det is not None:
        return None, named_network('--det', det)
    return make_hand_finder(bboxes, whole_image, ann), None


def read_hands(ann: str | Path, with_keypoints: bool = False) -> dict[str, list[Hand]]:
    """The hands of each image of a COCO file by the image's ``file_name``, without crowds.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file or one of its records is not of that form; the message names the first one.
    """
    ann = str(ann)
    document = read_json(ann)
    images = records_of(ann, document, 'images', 'image', ('id', 'file_name'))
    names = {image['id']: str(image['file_name']) for image in images}
    if len(set(names.values())) < len(names):
        raise ValueError(f'{ann}: expected a file_name of its own for each image; {len(names)} images share names')
    keys = ('id', 'image_id', 'bbox', *(['keypoints'] if with_keypoints else []))
    annotations = records_of(ann, document, 'annotations', 'annotation', keys)
    boxes = numbers_of(ann, annotations, 'bbox', 4, 'x, y, width, height')
    keypoints = [None] * len(annotations)
    if with_keypoints:
        keypoints = numbers_of(ann, annotations, 'keypoints', 63, 'x, y, visibility of each keypoint')
        keypoints = keypoints.reshape(-1, 21, 3)
    hands: dict[str, list[Hand]] = {name: [] for name in names.values()}
    for annotation, box, points in zip(annotations, boxes, keypoints, strict=True):
        if annotation['image_id'] not in names:
            raise ValueError(
                f'{ann}: annotation {annotation["id"]}: image_id: expected the id of an entry in images, '
                f'got {annotation["image_id"]!r}'
            )
        if not annotation.get('iscrowd'):
            hands[names[annotation['image_id']]].append(Hand(_corners(box), points))
    return hands


def _find(named: dict[str, list[Hand]], path: Path, ann: str | Path) -> list[Hand]:
    """The hands of the image whose ``file_name`` has the most last parts in common with the path."""
    shared = defaultdict(list)
    for name in named:
        if name.endswith(path.name):  # spares taking every name apart
            shared[_common_end(Path(name), path.absolute())].append(name)
    shared.pop(0, None)
    if not shared:
        raise ValueError(f'{ann} has no image of this name; it has, for instance, {list(named)[:3]}')
    found = shared[max(shared)]
    if len(found) > 1:
        raise ValueError(f'{ann} has several images of this name: {found[:3]}')
    if not named[found[0]]:
        raise ValueError(f'{ann} has no box for this image')
    return named[found[0]]


def _common_end(a: Path, b: Path) -> int:
    return len(os.path.commonprefix([a.parts[::-1], b.parts[::-1]]))


def _corners(box: Sequence[float]) -> np.ndarray:
    x, y, w, h = box
    return np.array([x, y, x + w, y + h], np.float32)
