"""All that is found of the hands in a picture, or in the frames of a video one after the other."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from handkp_plugins.apis.detection import Detections
from handkp_plugins.apis.gestures import GestureReader
from handkp_plugins.apis.hand_boxes import HandFinder
from handkp_plugins.apis.inference import predict

from .smoothing import OneEuroFilter, Trajectory, measured_lag
from .tracking import HandTracker, Track

Clock = Callable[[str], AbstractContextManager]
"""Measures the time of a named step."""

_REMEMBERED = 3000  # frames of a hand, to measure the lag on: a camera may run for days


@dataclass
class FoundHand:
    """One hand in one picture, in pixels.

    Args:
        box: (x1, y1, x2, y2) in which it was looked for.
        keypoints, scores: [21, 2] and [21].
        track: a number that it keeps over the frames of a video.
        det_score: of the detector, when it saw this hand last.
        handedness: 'left' or 'right', where the detector's classes tell.
        raw_keypoints: before smoothing.
        gesture: the sign and its probability.
        heatmap: [H, W].
    """

    box: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    track: int | None = None
    det_score: float | None = None
    handedness: str | None = None
    raw_keypoints: np.ndarray | None = None
    gesture: tuple[str, float] | None = None
    heatmap: np.ndarray | None = None

    def instance(self) -> dict[str, Any]:
        """Its record in ``keypoints.json``."""
        x1, y1, x2, y2 = self.box.tolist()
        record = dict(
            bbox=[x1, y1, x2 - x1, y2 - y1],
            keypoints=self.keypoints.astype(float).round(2).tolist(),
            scores=self.scores.astype(float).round(4).tolist(),
        )
        if self.raw_keypoints is not None:
            record['raw_keypoints'] = self.raw_keypoints.astype(float).round(2).tolist()
        if self.track is not None:
            record['track'] = self.track
        if self.det_score is not None:
            record['det_score'] = round(self.det_score, 4)
        if self.handedness is not None:
            record['handedness'] = self.handedness
        if self.gesture is not None:
            record.update(gesture=self.gesture[0], gesture_score=round(self.gesture[1], 4))
        return record

    def label(self) -> str:
        """What is written beside it in a picture; empty where nothing is known but its place."""
        sign = '' if self.gesture is None else f'{self.gesture[0]} {self.gesture[1]:.0%}'
        # a box that was given needs no number
        number = '' if self.det_score is None or self.track is None else str(self.track)
        return ' '.join(part for part in (number, self.handedness or '', sign) if part)


class HandReader:
    """Finds hands by a network, in boxes that are given or that a detector finds.

    Args:
        model: of :func:`~handkp_plugins.apis.inference.init_model`.
        finder: where the hands are, as the user says; or None, and
        detector: what finds them.
        gestures: reads signs, where they are wanted.
        batch_size: hands of one picture that go through the network at once.
        every: of a video, the detector runs at least every so many frames.
        track_thr: of a video, a hand is lost where its keypoints score less on average.
        smoothing: arguments of :class:`OneEuroFilter`, for the frames of a video; None for no smoothing.
        clock: measures ``detection``, ``pose`` and ``tracking`` (which also counts the two inside it).

    Raises:
        ValueError: a number is out of its range.
    """

    def __init__(
        self,
        model: nn.Module,
        finder: HandFinder | None,
        detector: Callable[[np.ndarray], Detections] | None = None,
        gestures: GestureReader | None = None,
        batch_size: int = 32,
        every: int = 10,
        track_thr: float = 0.3,
        smoothing: dict[str, float] | None = None,
        clock: Clock = lambda step: nullcontext(),
    ) -> None:
        if batch_size < 1:
            raise ValueError(f'--batch-size: expected an integer from 1 on, got {batch_size}')
        self.model, self.finder, self.detector, self.gestures = model, finder, detector, gestures
        self.batch_size, self.smoothing, self.clock = batch_size, smoothing, clock
        self.tracker = HandTracker(self._detect, self._estimate, every, track_thr)
        if smoothing is not None:
            OneEuroFilter(**smoothing)  # numbers that cannot be are told before the work
        self._filters: dict[int, OneEuroFilter] = {}
        self._paths: dict[int, deque[tuple[float, np.ndarray, np.ndarray, float]]] = {}
        self._delay, self._moved = 0.0, 0.0

    def given_boxes(self, path: Path, size: tuple[int, int]) -> np.ndarray | None:
        """The user's boxes [N, 4] for a picture of this width and height; None where a detector finds them.

        Raises:
            ValueError: none are given for it, or they cannot be of this picture.
        """
        return None if self.finder is None else np.array([hand.box for hand in self.finder(path, *size)])

    def read(self, image: np.ndarray, boxes: np.ndarray | None = None) -> list[FoundHand]:
        """The hands of a picture that stands for itself, in its :meth:`given_boxes`."""
        hands = self._in_picture(image, boxes)
        if self.gestures is not None:
            _give_signs(hands, self.gestures.read([h.keypoints for h in hands]))
        return hands

    def read_frame(self, image: np.ndarray, seconds: float, boxes: np.ndarray | None = None) -> list[FoundHand]:
        """The hands of the next frame of a video, taken at this time. Another video takes another reader."""
        if self.detector is None:
            hands = self._in_picture(image, boxes)
            for i, hand in enumerate(hands):
                hand.track = i + 1
        else:
            with self.clock('tracking'):
                hands = [_of_track(t) for t in self.tracker.step(image)]
        if self.smoothing is not None:
            for hand in hands:
                self._smooth(hand, seconds)
        if self.gestures is not None:
            signs = self.gestures.read_frame([h.keypoints for h in hands], [h.track for h in hands])
            _give_signs(hands, signs)
        return hands

    def lateness(self) -> dict[str, float | None]:
        """How late smoothing made the keypoints of the frames so far, in seconds: ``lag``, measured on their movement
        (:func:`measured_lag`; of a hand that is in view for longer, on the last 3,000 frames), and ``delay``, the
        filter's own, averaged with the speed as weight. None where nothing moved for long enough."""
        paths = [
            Trajectory(*(np.array(column) for column in zip(*steps, strict=True))) for steps in self._paths.values()
        ]
        lag = measured_lag([p._replace(size=float(np.mean(p.size))) for p in paths])
        return dict(lag=lag, delay=round(self._delay / self._moved, 3) if self._moved else None)

    def _in_picture(self, image: np.ndarray, boxes: np.ndarray | None) -> list[FoundHand]:
        if self.detector is None:
            return [_found(r) for r in self._estimate(image, boxes)]
        seen = self._detect(image)
        hands = [_found(r) for r in self._estimate(image, seen.boxes)]
        for hand, score, side in zip(hands, seen.scores, seen.sides, strict=True):
            hand.det_score, hand.handedness = float(score), side
        return hands

    def _detect(self, image: np.ndarray) -> Detections:
        with self.clock('detection'):
            return self.detector(image)

    def _estimate(self, image: np.ndarray, boxes: np.ndarray) -> list[dict[str, Any]]:
        with self.clock('pose'):
            return predict(self.model, image, boxes, self.batch_size)

    def _smooth(self, hand: FoundHand, seconds: float) -> None:
        """Smooth a hand's keypoints in place."""
        size = float((hand.box[2:] - hand.box[:2]).max())
        hand.raw_keypoints = hand.keypoints
        past = self._paths.setdefault(hand.track, deque(maxlen=_REMEMBERED))
        one_euro = self._filters.setdefault(hand.track, OneEuroFilter(**self.smoothing))
        hand.keypoints = one_euro(hand.raw_keypoints, seconds, size).astype(np.float32)
        if past:
            moved = np.linalg.norm(hand.keypoints - past[-1][2], axis=1) / size
            self._delay += float((moved * one_euro.delay).sum())
            self._moved += float(moved.sum())
        past.append((seconds, hand.raw_keypoints.astype(np.float32), hand.keypoints, size))


def _found(result: dict[str, Any]) -> FoundHand:
    return FoundHand(result['bbox'], result['keypoints'], result['scores'], heatmap=result.get('heatmap'))


def _of_track(track: Track) -> FoundHand:
    hand = _found(track.found)
    hand.track, hand.det_score, hand.handedness = track.id, track.det_score, track.side
    return hand


def _give_signs(hands: Sequence[FoundHand], signs: Sequence[tuple[str, float]]) -> None:
    for hand, sign in zip(hands, signs, strict=True):
        hand.gesture = sign
