"""Keypoints of hands, labelled with gestures."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from handkp_plugins.fileio.coco import SPLITS
from handkp_plugins.fileio.coco_file import first_true
from handkp_plugins.fileio.keypoint_tables import RecordedHands, read_keypoint_table


@DATASETS.register_module()
class GestureKeypointDataset(BaseDataset):
    """Rows of 21 keypoints and a label, from a file that :mod:`handkp_plugins.fileio.keypoint_tables` reads.

    Neighbouring rows are often frames of a recording and nearly alike, so a random split would test on training data.
    Therefore each class is split in time: its first rows are for training, the next for validation, the last for tests.
    Errors name file and row.

    A sample has ``inputs`` (21, 2) float32, x and y as recorded; ``labels``, the index of the class; and ``rows``, the
    line or record in the file.

    Args:
        ann_file: The file, relative to ``data_root``.
        part: 'train', 'val', 'test' or 'all'.
        shares: Shares of each class for training and validation.
        classes: Names in the order of the network's outputs; None takes the names in the file, sorted.
        skip_malformed: Leave out and log unusable rows, which are errors otherwise.
        kwargs: Arguments of ``mmengine.dataset.BaseDataset``.
    """

    def __init__(
        self,
        ann_file: str = '',
        part: str = 'train',
        shares: Sequence[float] = (0.7, 0.1),
        classes: Sequence[str] | None = None,
        skip_malformed: bool = False,
        **kwargs: Any,
    ) -> None:
        if part not in (*SPLITS, 'all'):
            raise ValueError(f"part: expected one of {SPLITS} or 'all', got {part!r}")
        if len(shares) != 2 or not (shares[0] > 0 and shares[1] >= 0 and sum(shares) < 1):
            raise ValueError(f'shares: expected two numbers from 0 with a sum below 1, got {tuple(shares)}')
        self.part, self.shares, self.skip_malformed = part, tuple(shares), skip_malformed
        self.classes = None if classes is None else tuple(classes)
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read, check and split the rows; one dictionary for each."""
        hands = self._read()
        names = tuple(np.unique(hands.names).tolist()) if self.classes is None else self.classes
        if len(names) < 2:
            raise ValueError(f'{self.ann_file}: expected labels of two or more classes, got only {", ".join(names)}')
        self._metainfo['classes'] = names
        for i in first_true(~np.isin(hands.names, names)):
            raise ValueError(
                f'{self.ann_file}: row {hands.rows[i]}: expected a label of {", ".join(names)}, '
                f'got {str(hands.names[i])!r}'
            )
        chosen = np.sort(np.concatenate([self._rows_of_class(hands, name) for name in names]))
        labels = np.array([names.index(name) for name in hands.names[chosen]])
        points = hands.keypoints[chosen, :, :2].astype(np.float32)
        return [
            dict(inputs=p, labels=int(label), rows=int(row))
            for p, label, row in zip(points, labels, hands.rows[chosen], strict=True)
        ]

    def _read(self) -> RecordedHands:
        recorded = read_keypoint_table(self.ann_file, self.skip_malformed)
        hands, without = recorded.usable()
        reasons = list(recorded.malformed)
        reasons += [f'row {row}: expected 21 finite keypoints, not all in one place, got others' for row in without]
        if reasons and not self.skip_malformed:
            raise ValueError(f'{self.ann_file}: {reasons[0]}')
        if reasons:
            print_log(
                f'{self.ann_file}: left out {len(reasons)} of {len(hands.rows) + len(reasons)} rows:\n  '
                + '\n  '.join(reasons[:20])
                + ('\n  …' if len(reasons) > 20 else ''),
                logger='current',
                level=logging.WARNING,
            )
        return hands

    def _rows_of_class(self, hands: RecordedHands, name: str) -> np.ndarray:
        """Return the indices of a class's rows in this part."""
        own = np.flatnonzero(hands.names == name)
        ends = np.round(np.cumsum([0, *self.shares, 1 - sum(self.shares)]) * len(own)).astype(int)
        parts = {part: own[a:b] for part, a, b in zip(SPLITS, ends, ends[1:], strict=False)}
        chosen = own if self.part == 'all' else parts[self.part]
        wanted = self.part != 'val' or self.shares[1] > 0
        if wanted and not len(chosen):
            raise ValueError(
                f'{self.ann_file}: class {name!r}: expected enough rows for {self.part} at shares {self.shares}, '
                f'got {len(own)}'
            )
        return chosen
