"""Hands followed through a video: a hand's box comes from its keypoints in the previous frame. A detector runs only
when a hand is lost, and every n frames."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handkp_plugins.apis.detection import Detections
from handkp_plugins.structures.boxes import box_iou, box_sizes, clip_boxes, keypoint_box

from ..linking import link_hands

SAME_HAND = 0.3
"""The least IoU of a detected box and a followed box of the same hand."""

_BOX_FACTOR = 1.15  # a hand's outline over the extent of its keypoints
_MIN_IOU = 0.1  # below, the keypoints have left their hand
_MAX_CHANGE = 2.5  # of a hand's size from one frame to the next
_DUPLICATE = 0.1  # hand sizes: two hands whose keypoints are closer on average are one
_MIN_SIZE = 8  # px, of a box
_MIN_SCORE_RATIO, _MEMORY = 0.85, 0.9  # to the mean score so far; weight of the past in that mean
_MAX_MISSES = 3  # runs of the detector that may miss a hand


@dataclass(frozen=True)
class Track:
    """One hand in the current frame. A new hand, or one that was lost for longer than the tracker remembers, gets a new
    id."""

    id: int  # from 1 on
    box: np.ndarray  # (x1, y1, x2, y2) in which its keypoints were searched
    det_score: float  # of the detector, when it last saw this hand
    side: str | None  # 'left' or 'right' if the detector tells
    result: dict[str, Any] | None = None  # its keypoints, as handkp_plugins.apis.inference.predict returns them
    last_frame: int = 0  # in which it was last found
    last_detected: int = 0  # the frame in which the detector last saw it
    mean_score: float = 0.0  # of its keypoints, over the last frames


class HandTracker:
    """Follows all hands of one video, frame by frame.

    A hand is lost if its keypoints score less than ``min_score`` on average, jump away, change its size by more than
    2.5 times, or score 15 % less than before while the detector does not confirm it; or if the detector has not seen it
    for ``3 * every`` frames.

    Args:
        detect: Finds the boxes of a frame.
        estimate: Finds keypoints in boxes [N, 4] of a frame; returns a dictionary with ``keypoints`` [K, 2] and
            ``scores`` [K] for each.
        every: The detector runs at least every so many frames, from 1 on.
        min_score: Least mean score of a hand.
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
        """Number of detected boxes so far in which no hand was found."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._frame, self._last_run, self._last_id = 0, -1, 0

    def step(self, image: np.ndarray) -> list[Track]:
        """Return the hands of the next frame, sorted by id."""
        self._frame += 1
        self._lost = [t for t in self._lost if self._frame - t.last_frame <= self.every]
        followed = [replace(t, box=self._extent(t.result)) for t in self._tracks]
        if not followed or self._lost or self._frame - self._last_run >= self.every:
            good, lost = self._estimate(image, self._detect(image, followed))
        else:
            good, lost = self._estimate(image, followed)
            if lost:  # detect at once, so that the hand is not missed in this frame
                self._lost += lost
                again, lost = self._estimate(image, self._detect(image, good)[len(good) :])
                good += again
        self._lost += lost
        self._tracks = _without_duplicates(sorted(good, key=lambda t: t.id))
        return self._tracks

    def _detect(self, image: np.ndarray, followed: list[Track]) -> list[Track]:
        """Run the detector. Returns the followed hands, in detected boxes where it sees them, then the other hands."""
        self._last_run = self._frame
        detections = self.detect(image)
        known = followed + self._lost
        matches = dict(link_boxes(detections.boxes, np.array([t.box for t in known]).reshape(-1, 4)))
        hands, new = list(followed), []
        for i, (box, score, side) in enumerate(zip(*detections, strict=True)):
            if i in matches:
                hand = known[matches[i]]
                hand = replace(hand, box=box, det_score=float(score), side=side or hand.side, last_detected=self._frame)
                if matches[i] < len(followed):
                    hands[matches[i]] = hand
                    continue
            else:
                self._last_id += 1
                hand = Track(self._last_id, box, float(score), side, last_detected=self._frame)
            new.append(hand)
        back = {hand.id for hand in new}
        self._lost = [t for t in self._lost if t.id not in back]
        return hands + new

    def _estimate(self, image: np.ndarray, hands: list[Track]) -> tuple[list[Track], list[Track]]:
        """Find the keypoints in the boxes. Returns the hands that are found, and the followed ones that are lost."""
        height, width = image.shape[:2]
        inside = [_overlaps_image(t.box, width, height) for t in hands]
        boxes = np.array([t.box for t, ok in zip(hands, inside, strict=True) if ok], np.float32)
        results = iter(self.estimate(image, boxes) if len(boxes) else [])
        good, lost = [], []
        for hand, ok in zip(hands, inside, strict=True):
            result = next(results) if ok else None
            expired = self._frame - hand.last_detected > _MAX_MISSES * self.every
            if result is not None and not expired and self._is_hand(hand, result):
                score = float(result['scores'].mean())
                mean = score if hand.result is None else _MEMORY * hand.mean_score + (1 - _MEMORY) * score
                good.append(replace(hand, result=result, last_frame=self._frame, mean_score=mean))
            elif hand.result is not None:
                lost.append(hand)
            else:
                self.refused += 1
        return good, lost

    def _is_hand(self, hand: Track, result: dict[str, Any]) -> bool:
        # networks score boxes without a hand differently, so that a drop of the score tells more than its value
        confirmed = hand.last_detected == self._frame
        if not float(result['scores'].mean()) >= max(
            self.min_score, 0 if confirmed else _MIN_SCORE_RATIO * hand.mean_score
        ):
            return False
        new, old = self._extent(result), hand.box
        change = _size(new) / _size(old)
        # a detected box may be far wider than the hand, but the keypoints must lie in it all the same
        steady = hand.result is None or 1 / _MAX_CHANGE <= change <= _MAX_CHANGE
        return bool(steady and _size(new) >= _MIN_SIZE and box_iou(new[None], old[None])[0, 0] >= _MIN_IOU)

    def _extent(self, result: dict[str, Any]) -> np.ndarray:
        """Return the box around the keypoints, without uncertain ones unless these are the majority."""
        sure = result['scores'] >= self.min_score
        return keypoint_box(result['keypoints'][sure if sure.mean() > 0.5 else slice(None)], _BOX_FACTOR)


def link_boxes(boxes: np.ndarray, others: np.ndarray, iou: float = SAME_HAND) -> list[tuple[int, int]]:
    """Return the pairs (index in ``boxes`` [N, 4], index in ``others`` [M, 4]) of the same hand, with the largest sum
    of IoUs of at least ``iou`` each."""
    overlaps = box_iou(boxes, others)
    return link_hands(-np.where(overlaps < iou, 0, overlaps), -iou)


def _size(box: np.ndarray) -> float:
    """Return the longer side of a box."""
    return float(box_sizes(box).max())


def _overlaps_image(box: np.ndarray, width: int, height: int) -> bool:
    """Return whether enough of a box lies in the image to find a hand there."""
    return bool((box_sizes(clip_boxes(box, (width, height))) >= _MIN_SIZE).all())


def _without_duplicates(tracks: list[Track]) -> list[Track]:
    """Leave out tracks that have moved onto the hand of an older track."""
    kept: list[Track] = []
    for track in tracks:
        points = track.result['keypoints']
        size = _size(keypoint_box(points))
        if all(np.linalg.norm(points - t.result['keypoints'], axis=1).mean() > _DUPLICATE * size for t in kept):
            kept.append(track)
    return kept
