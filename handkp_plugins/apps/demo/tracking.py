"""Hands followed through a video: the box of a hand comes from its keypoints in the frame before, and a detector runs
only where a hand is lost and every n frames."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from handkp_plugins.apis.detection import Detections
from handkp_plugins.structures.boxes import keypoint_box

SAME_HAND = 0.3
"""IoU from which a detector's box and one that is followed are of the same hand."""

_BOX_FACTOR = 1.15  # a hand's outline over the extent of its keypoints
_JUMP_IOU = 0.1  # below, the keypoints have left their hand
_LARGEST_CHANGE = 2.5  # of a hand's size from one frame to the next
_TWICE = 0.1  # two hands whose keypoints lie nearer on average, in sizes of the hand, are one
_SMALLEST = 8  # px, of a box
_DROP, _PAST = 0.85, 0.9  # of the usual score; weight of the past in it
_MISSED = 3  # turns of the detector in which it may miss a hand that is followed


@dataclass(frozen=True)
class Track:
    """One hand in the current frame.

    Args:
        id: from 1 on; a hand that is new, or was gone for longer than the tracker remembers, has a new one.
        box: (x1, y1, x2, y2) in which its keypoints were looked for.
        found: its keypoints, as :func:`~handkp_plugins.apis.inference.predict` gives them.
        det_score: of the detector, when it saw this hand last.
        side: 'left' or 'right' where the detector tells, else None.
        seen: the index of the frame.
        detected: the index of the frame in which the detector saw it last.
        usual: what its keypoints score on average, over the last frames.
    """

    id: int
    box: np.ndarray
    det_score: float
    side: str | None
    found: dict[str, Any] | None = None
    seen: int = 0
    detected: int = 0
    usual: float = 0.0


class HandTracker:
    """Follows all hands of one video, frame by frame.

    Args:
        detect: finds the boxes of a frame.
        estimate: finds keypoints in boxes [N, 4] of a frame: a dictionary with ``keypoints`` [K, 2] and ``scores`` [K]
            for each.
        every: the detector runs at least every so many frames; 1 lets it run in each. A hand that it has not seen for
            three times as long is lost.
        min_score: a hand is lost where its keypoints score less on average. It is lost, too, where they jump away or
            change its size by more than 2.5 times, or score 15 % less than they used to with no word of the detector.

    Raises:
        ValueError: ``every`` is below 1.
    """

    def __init__(
        self,
        detect: Callable[[np.ndarray], Detections],
        estimate: Callable[[np.ndarray, np.ndarray], list[dict[str, Any]]],
        every: int = 10,
        min_score: float = 0.3,
    ) -> None:
        if every < 1:
            raise ValueError(f'every: expected an integer from 1 on, got {every}')
        self.detect, self.estimate, self.every, self.min_score = detect, estimate, every, min_score
        self.refused = 0
        """Boxes of the detector in which no hand was found, so far."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._frame, self._looked, self._last_id = 0, -1, 0

    def step(self, image: np.ndarray) -> list[Track]:
        """The hands of the next frame, by rising id."""
        self._frame += 1
        self._lost = [t for t in self._lost if self._frame - t.seen <= self.every]
        followed = [replace(t, box=self._extent(t.found)) for t in self._tracks]
        if not followed or self._lost or self._frame - self._looked >= self.every:
            good, lost = self._place(image, self._look(image, followed))
        else:
            good, lost = self._place(image, followed)
            if lost:  # look at once, so that the hand is not missed in this frame
                self._lost += lost
                again, lost = self._place(image, self._look(image, good)[len(good) :])
                good += again
        self._lost += lost
        self._tracks = _without_twins(sorted(good, key=lambda t: t.id))
        return self._tracks

    def _look(self, image: np.ndarray, followed: list[Track]) -> list[Track]:
        """Let the detector run: the hands that are followed, in its boxes where it sees them, and then the new ones."""
        self._looked = self._frame
        seen = self.detect(image)
        known = followed + self._lost
        matches = dict(link_boxes(seen.boxes, np.array([t.box for t in known]).reshape(-1, 4)))
        hands, new = list(followed), []
        for i, (box, score, side) in enumerate(zip(seen.boxes, seen.scores, seen.sides, strict=True)):
            if i in matches:
                hand = known[matches[i]]
                hand = replace(hand, box=box, det_score=float(score), side=side or hand.side, detected=self._frame)
                if matches[i] < len(followed):
                    hands[matches[i]] = hand
                    continue
            else:
                self._last_id += 1
                hand = Track(self._last_id, box, float(score), side, detected=self._frame)
            new.append(hand)
        back = {hand.id for hand in new}
        self._lost = [t for t in self._lost if t.id not in back]
        return hands + new

    def _place(self, image: np.ndarray, hands: list[Track]) -> tuple[list[Track], list[Track]]:
        """Find the keypoints in the boxes; those that are hands, and those of the followed ones that are none now."""
        height, width = image.shape[:2]
        inside = [_touches(t.box, width, height) for t in hands]
        boxes = np.array([t.box for t, ok in zip(hands, inside, strict=True) if ok], np.float32)
        found = iter(self.estimate(image, boxes) if len(boxes) else [])
        good, lost = [], []
        for hand, ok in zip(hands, inside, strict=True):
            result = next(found) if ok else None
            forgotten = self._frame - hand.detected > _MISSED * self.every
            if result is not None and not forgotten and self._is_hand(hand, result):
                score = float(result['scores'].mean())
                usual = score if hand.found is None else _PAST * hand.usual + (1 - _PAST) * score
                good.append(replace(hand, found=result, seen=self._frame, usual=usual))
            elif hand.found is not None:
                lost.append(hand)
            else:
                self.refused += 1
        return good, lost

    def _is_hand(self, hand: Track, result: dict[str, Any]) -> bool:
        # what a network scores without a hand differs by networks, so that a drop tells more than a number
        confirmed = hand.detected == self._frame
        if not float(result['scores'].mean()) >= max(self.min_score, 0 if confirmed else _DROP * hand.usual):
            return False
        new, old = self._extent(result), hand.box
        change = _size(new) / _size(old)
        # a detector's box may be far wider than the hand, but the keypoints must lie in it all the same
        steady = hand.found is None or 1 / _LARGEST_CHANGE <= change <= _LARGEST_CHANGE
        return bool(steady and _size(new) >= _SMALLEST and _overlap(new[None], old[None])[0, 0] >= _JUMP_IOU)

    def _extent(self, found: dict[str, Any]) -> np.ndarray:
        """The box around the sure keypoints, where they are more than half: one that is astray would widen it."""
        sure = found['scores'] >= self.min_score
        return keypoint_box(found['keypoints'][sure if sure.mean() > 0.5 else slice(None)], _BOX_FACTOR)


def link_boxes(boxes: np.ndarray, others: np.ndarray, iou: float = SAME_HAND) -> list[tuple[int, int]]:
    """Pairs (index in ``boxes`` [N, 4], index in ``others`` [M, 4]) of the same hand: each at most once, with the
    largest sum of overlaps, and at least ``iou`` each."""
    if not len(boxes) or not len(others):
        return []
    overlaps = _overlap(boxes, others)
    overlaps[overlaps < iou] = 0
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if overlaps[i, j] > 0]


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return box_iou(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64)).numpy()


def _size(box: np.ndarray) -> float:
    """The longer side of a box."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def _touches(box: np.ndarray, width: int, height: int) -> bool:
    """Whether enough of a box lies in the picture for a hand to be looked for."""
    low, high = np.maximum(box[:2], 0), np.minimum(box[2:], (width, height))
    return bool(((high - low) >= _SMALLEST).all())


def _without_twins(tracks: list[Track]) -> list[Track]:
    """The tracks without those that have slipped onto the hand of an older one."""
    kept: list[Track] = []
    for track in tracks:
        points, size = track.found['keypoints'], _size(keypoint_box(track.found['keypoints']))
        if all(np.linalg.norm(points - t.found['keypoints'], axis=1).mean() > _TWICE * size for t in kept):
            kept.append(track)
    return kept
