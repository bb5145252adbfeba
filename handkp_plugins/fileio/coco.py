"""What the data set converters share: splitting, COCO records, writing, and the account at the end."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from handkp_plugins.structures.skeleton import BONES, JOINT_ORDERS, KEYPOINT_NAMES, NUM_KEYPOINTS

from .atomic import write_text
from .images import read_image

T = TypeVar('T')


def split_8_1_1(items: Iterable[T], seed: int = 0) -> dict[str, list[T]]:
    """Split into 'train', 'val' and 'test' 8:1:1 at random, the same whatever order the items come in.

    Raises:
        ValueError: fewer than three items.
    """
    ordered = sorted(items)
    if len(ordered) < 3:
        raise ValueError(f'a split into train, val and test: expected 3 or more images, got {len(ordered)}')
    shuffled = [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]
    n = max(1, round(len(ordered) / 10))
    return dict(train=sorted(shuffled[2 * n :]), val=sorted(shuffled[:n]), test=sorted(shuffled[n : 2 * n]))


def spread_evenly(items: Sequence[T], num: int) -> list[T]:
    """So many of the items, at even distances from the first to the last.

    Raises:
        ValueError: there are not as many.
    """
    if not 1 <= num <= len(items):
        raise ValueError(f'expected an integer from 1 to {len(items)}, got {num}')
    return [items[i] for i in np.linspace(0, len(items) - 1, num).round().astype(int)]


class CocoRecorder:
    """Makes the records of one hand per image, and accounts for what was skipped.

    Args:
        root: the folder that image names are relative to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.converted = 0
        self.skipped: dict[str, list[str]] = defaultdict(list)

    def record(
        self, name: str, keypoints: np.ndarray, image: np.ndarray | None = None, **extra: Any
    ) -> tuple[dict, dict] | None:
        """The image's and the annotation's record without ids, or None (counted, with its reason) for one to skip.

        The box is the tightest about the labelled keypoints, both ends included, as in MMPose's Panoptic files.

        Args:
            name: image file, or address of a video's frame, relative to the root.
            keypoints: (21, 3) x, y in pixels and visibility, in the file's order; unlabelled ones have visibility 0.
            image: the picture, where it is at hand; else it is read.
            extra: further keys of the annotation.
        """
        path = self.root / name
        try:
            height, width = (read_image(path) if image is None else image).shape[:2]
        except (FileNotFoundError, IsADirectoryError):
            return self.skip(name, 'no such image')
        except ValueError as e:
            return self.skip(name, str(e).removeprefix(f'{path}: '))
        keypoints = np.where(keypoints[:, 2:] > 0, keypoints, 0).astype(float)
        labelled = keypoints[keypoints[:, 2] > 0, :2]
        if not len(labelled):
            return self.skip(name, 'no labelled keypoint')
        (x1, y1), (x2, y2) = labelled.min(0), labelled.max(0)
        if x2 <= 0 or y2 <= 0 or x1 >= width - 1 or y1 >= height - 1:
            return self.skip(name, 'all keypoints outside the image')
        box = [x1, y1, x2 - x1 + 1, y2 - y1 + 1]
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        self.converted += 1
        annotation = dict(
            category_id=1,
            iscrowd=0,
            bbox=[float(v) for v in box],
            area=float(box[2] * box[3]),
            center=[float(cx), float(cy)],
            segmentation=[[float(v) for v in (x1, y1, x1, cy, x1, y2, cx, y2, x2, y2, x2, cy, x2, y1, cx, y1)]],
            keypoints=keypoints.reshape(-1).tolist(),
            num_keypoints=len(labelled),
            **extra,
        )
        return dict(file_name=name, width=width, height=height), annotation

    def skip(self, name: str, reason: str) -> None:
        """Count an image, or a further hand in it, as skipped."""
        self.skipped[reason].append(name)

    def report(self, unit: str = 'hands') -> str:
        """How many were found, converted and skipped, and for each reason the first that were."""
        skipped = sum(map(len, self.skipped.values()))
        lines = [f'found {self.converted + skipped}, converted {self.converted}, skipped {skipped} {unit}']
        for reason, names in self.skipped.items():
            lines.append(f'  {len(names)} skipped, {reason}: {", ".join(names[:5])}' + (', …' * (len(names) > 5)))
        return '\n'.join(lines)


def write_coco(path: Path, records: Sequence[tuple[dict, dict]], description: str, order: str = 'onehand10k') -> None:
    """Write records of :meth:`CocoRecorder.record` with ids from 0 on; an interruption leaves no half-written file.

    Args:
        order: the keypoints' order, by a name of :data:`~handkp_plugins.structures.skeleton.JOINT_ORDERS`.

    Raises:
        ValueError: there are no records; no file is written.
    """
    if not records:
        raise ValueError(f'{path}: expected one or more hands, but none could be converted')
    place = JOINT_ORDERS[order]
    hand = dict(
        id=1,
        name='hand',
        supercategory='hand',
        keypoints=[KEYPOINT_NAMES[place.index(i)] for i in range(NUM_KEYPOINTS)],
        skeleton=[[place[a] + 1, place[b] + 1] for a, b in BONES],
    )
    content = dict(
        info=dict(description=description),
        licenses=[],
        images=[dict(image, id=i) for i, (image, _) in enumerate(records)],
        annotations=[dict(annotation, id=i, image_id=i) for i, (_, annotation) in enumerate(records)],
        categories=[hand],
    )
    write_text(path, json.dumps(content))
