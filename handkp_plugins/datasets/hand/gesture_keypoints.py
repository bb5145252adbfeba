"""Keypoints of hands with the sign that each shows."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from handkp_plugins.fileio.keypoint_tables import RecordedHands, read_keypoint_table

PARTS = ('train', 'val', 'test')


@DATASETS.register_module()
class GestureKeypointDataset(BaseDataset):
    """Rows of 21 keypoints and a label, from any file that :mod:`handkp_plugins.fileio.keypoint_tables` reads.

    Rows follow each other as the frames of a recording do, so that neighbours are nearly alike and a split at random
    would test on what was trained on. Each class is split in time: its first rows train, those after them validate, the
    last test.

    A sample holds ``inputs`` (21, 2) float32, x and y as recorded; ``labels``, the index of the class; and ``rows``,
    the line or record that it was read from.

    Args:
        ann_file: the file, below ``data_root``.
        part: 'train', 'val', 'test' or 'all'.
        shares: of each class, what trains and what validates.
        classes: names in the order of the network's outputs; None takes those of the file, sorted.
        skip_malformed: leave out rows that cannot be used, and log which, where they would be errors.
        kwargs: those of ``mmengine.dataset.BaseDataset``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is malformed or holds no hand, a label is none of ``classes``, or a class has no row, or too
            few for the split; the message names file and row.
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
        if part not in (*PARTS, 'all'):
            raise ValueError(f"part: expected one of {PARTS} or 'all', got {part!r}")
        if len(shares) != 2 or not (shares[0] > 0 and shares[1] >= 0 and sum(shares) < 1):
            raise ValueError(f'shares: expected two numbers from 0 with a sum below 1, got {tuple(shares)}')
        self.part = part
        self.shares = tuple(shares)
        self.classes = None if classes is None else tuple(classes)
        self.skip_malformed = skip_malformed
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read, check and split; one dictionary a row."""
        hands = self._read()
        names = tuple(np.unique(hands.names).tolist()) if self.classes is None else self.classes
        if len(names) < 2:
            raise ValueError(f'{self.ann_file}: expected labels of two classes or more, got {", ".join(names)} alone')
        self._metainfo['classes'] = names
        unknown = np.flatnonzero(~np.isin(hands.names, names))
        if len(unknown):
            i = unknown[0]
            raise ValueError(
                f'{self.ann_file}: row {hands.rows[i]}: expected a label of {", ".join(names)}, '
                f'got {str(hands.names[i])!r}'
            )
        chosen = np.sort(np.concatenate([self._chosen(hands, name) for name in names]))
        labels = np.array([names.index(name) for name in hands.names[chosen]])
        points = hands.keypoints[chosen, :, :2].astype(np.float32)
        return [
            dict(inputs=p, labels=int(label), rows=int(row))
            for p, label, row in zip(points, labels, hands.rows[chosen], strict=True)
        ]

    def _read(self) -> RecordedHands:
        recorded = read_keypoint_table(self.ann_file, self.skip_malformed)
        hands, without = recorded.usable()
        reasons = [
            *recorded.malformed,
            *(f'row {row}: not 21 finite keypoints apart from each other' for row in without),
        ]
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

    def _chosen(self, hands: RecordedHands, name: str) -> np.ndarray:
        """Indices of a class's rows that belong to this part."""
        own = np.flatnonzero(hands.names == name)
        ends = np.round(np.cumsum([0, *self.shares, 1 - sum(self.shares)]) * len(own)).astype(int)
        parts = {part: own[a:b] for part, a, b in zip(PARTS, ends, ends[1:], strict=False)}
        chosen = own if self.part == 'all' else parts[self.part]
        wanted = self.part != 'val' or self.shares[1] > 0
        if wanted and not len(chosen):
            raise ValueError(
                f'{self.ann_file}: class {name!r} has {len(own)} rows: too few for {self.part} by shares {self.shares}'
            )
        return chosen
