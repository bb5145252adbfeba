"""What the converters share: records of one hand per image, an account of what was skipped, and the command line."""

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.coco import Record, write_coco
from handkp_plugins.fileio.images import read_image


class Account:
    """Counts what a converter converts and skips, and prints it.

    Args:
        root: The dataset's folder; image names are relative to it.
        unit: What is counted.
    """

    def __init__(self, root: Path, unit: str = 'hands') -> None:
        self.root, self.unit = root, unit
        self.converted = 0
        self.skipped: dict[str, list[str]] = defaultdict(list)
        self.lines: list[str] = []

    def skip(self, name: str, reason: str) -> None:
        """Count an item as skipped."""
        self.skipped[reason].append(name)

    def report(self) -> None:
        """Print how many were found, converted and skipped, with the first names of each reason."""
        skipped = sum(map(len, self.skipped.values()))
        self.tell(f'found {self.converted + skipped}, converted {self.converted}, skipped {skipped} {self.unit}')
        for reason, names in self.skipped.items():
            self.tell(f'  {len(names)} skipped, {reason}: {", ".join(names[:5])}' + (', …' * (len(names) > 5)))

    def tell(self, line: str) -> None:
        """Print a line of the account."""
        print(line)
        self.lines.append(line)


class Conversion(Account):
    """Makes and writes the records of a dataset with one hand in each image."""

    def record(self, name: str, keypoints: np.ndarray, image: np.ndarray | None = None, **extra: Any) -> Record | None:
        """Return the image's and the annotation's record without ids, or None for a hand that is skipped and counted.

        The box is the tightest around the labelled keypoints, both ends included, as in MMPose's Panoptic files.

        Args:
            name: The image, or a frame's address, relative to the root.
            keypoints: (21, 3) x, y in pixels and visibility, in the file's order; unlabelled ones have visibility 0.
            image: The image; it is read if it is not given.
            extra: Further keys of the annotation.
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
        (x1, y1), (x2, y2) = labelled.min(0).tolist(), labelled.max(0).tolist()
        if x2 <= 0 or y2 <= 0 or x1 >= width - 1 or y1 >= height - 1:
            return self.skip(name, 'all keypoints outside the image')
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        self.converted += 1
        annotation = dict(
            category_id=1,
            iscrowd=0,
            bbox=[x1, y1, x2 - x1 + 1, y2 - y1 + 1],
            area=(x2 - x1 + 1) * (y2 - y1 + 1),
            center=[cx, cy],
            segmentation=[[x1, y1, x1, cy, x1, y2, cx, y2, x2, y2, x2, cy, x2, y1, cx, y1]],
            keypoints=keypoints.reshape(-1).tolist(),
            num_keypoints=len(labelled),
            **extra,
        )
        return dict(file_name=name, width=width, height=height), annotation

    def write(self, splits: Mapping[str, Sequence[Record]], description: str, order: str = 'onehand10k') -> str:
        """Write ``annotations/NAME.json`` for each split, and return the whole account.

        Args:
            splits: The records by the file's name.
            description: Of the dataset.
            order: The keypoints' order, as in :func:`~handkp_plugins.fileio.coco.write_coco`.
        """
        for name, records in splits.items():
            path = self.root / 'annotations' / f'{name}.json'
            write_coco(path, records, f'{description} ({name})', order)
            self.tell(f'{path}: {len(records)} {self.unit}')
        return '\n'.join(self.lines)


def make_parser(doc: str, root: str = "the dataset's folder; annotations/ is written there") -> argparse.ArgumentParser:
    """Make a converter's parser, which shows the module's docstring and takes the root."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help=root)
    return parser


def run(main: Callable[..., Any], parser: argparse.ArgumentParser) -> None:
    """Run a converter with the arguments of the command line."""
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
