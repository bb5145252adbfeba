"""From an image, or the frames of a video, to hands: detection, keypoints, tracking, smoothing, signs."""

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
from handkp_plugins.apis.hand_mesh import HandMesh
from handkp_plugins.apis.inference import predict

from .smoothing import OneEuroFilter, Trajectory, measure_lag
from .tracking import HandTracker

Clock = Callable[[str], AbstractContextManager]
"""Measures the time of a named step."""

_HISTORY = 3000  # frames of a hand on which the lag is measured: a camera may run for days


@dataclass
class HandResult:
    """One hand in one image, in pixels."""

    box: np.ndarray  # (x1, y1, x2, y2) in which it was searched
    keypoints: np.ndarray  # [21, 2]
    scores: np.ndarray  # [21]
    track: int | None = None  # a number that it keeps over the frames of a video
    det_score: float | None = None  # of the detector, when it last saw this hand
    handedness: str | None = None  # 'left' or 'right' if the detector tells
    raw_keypoints: np.ndarray | None = None  # before smoothing
    gesture: tuple[str, float] | None = None  # the sign and its probability
    heatmap: np.ndarray | None = None  # [H, W]
    mesh: HandMesh | None = None  # of a network of meshes

    def as_instance(self) -> dict[str, Any]:
        """Return its instance in ``keypoints.json``."""
        x1, y1, x2, y2 = self.box.tolist()
        sign, sign_score = self.gesture or (None, None)
        instance = dict(
            bbox=[x1, y1, x2 - x1, y2 - y1],
            keypoints=self.keypoints.astype(float).round(2).tolist(),
            scores=self.scores.astype(float).round(4).tolist(),
            raw_keypoints=None if self.raw_keypoints is None else self.raw_keypoints.astype(float).round(2).tolist(),
            track=self.track,
            det_score=None if self.det_score is None else round(self.det_score, 4),
            handedness=self.handedness,
            gesture=sign,
            gesture_score=None if sign_score is None else round(sign_score, 4),
        )
        mesh = {} if self.mesh is None else self.mesh.as_instance()
        return {key: value for key, value in instance.items() if value is not None} | mesh

    def label(self) -> str:
        """Return the text beside it in an image: number (with a detector only), handedness and sign if known."""
        number = '' if self.det_score is None or self.track is None else str(self.track)
        sign = '' if self.gesture is None else f'{self.gesture[0]} {self.gesture[1]:.0%}'
        return ' '.join(filter(None, (number, self.handedness, sign)))


class HandPipeline:
    """Finds hands in images or in the frames of one video. Raises ValueError if a number is out of its range.

    Args:
        model: From :func:`~handkp_plugins.apis.inference.init_model`.
        finder: Where the hands are, as the user says; None if a detector finds them.
        detector: Finds the boxes of hands if there is no ``finder``.
        gestures: Recognizes signs.
        batch_size: Hands of one image that go through the network at once.
        every: The detector runs on every so many frames of a video at least.
        track_thr: A hand in a video is lost if its keypoints score less on average.
        smoothing: Arguments of :class:`OneEuroFilter` for the frames of a video; None for no smoothing.
        left: Whether all hands are left ones; a network of meshes sees them mirrored.
        clock: Measures ``detection``, ``pose`` and ``tracking`` (which includes the other two).
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
        left: bool = False,
        clock: Clock = lambda step: nullcontext(),
    ) -> None:
        if batch_size < 1:
            raise ValueError(f'--batch-size: expected an integer from 1 on, got {batch_size}')
        self.model, self.finder, self.detector, self.gestures = model, finder, detector, gestures
        self.batch_size, self.smoothing, self.left, self.clock = batch_size, smoothing, left, clock
        self.tracker = HandTracker(self._detect, self._estimate, every, track_thr)
        if smoothing is not None:
            OneEuroFilter(**smoothing)  # checks the numbers before the work
        self._filters: dict[int, OneEuroFilter] = {}
        self._paths: dict[int, deque[tuple[float, np.ndarray, np.ndarray, float]]] = {}
        self._delay, self._distance = 0.0, 0.0

    def boxes_for(self, path: Path, size: tuple[int, int]) -> np.ndarray | None:
        """Return the user's boxes [N, 4] for an image of this width and height; None if a detector finds them.

        Raises ValueError if there are none for this image, or they do not fit it.
        """
        return None if self.finder is None else np.array([hand.box for hand in self.finder(path, *size)])

    def process_image(self, image: np.ndarray, boxes: np.ndarray | None = None) -> list[HandResult]:
        """Return the hands of a single image; ``boxes`` are from :meth:`boxes_for`."""
        hands = self._find(image, boxes)
        if self.gestures is not None:
            _set_gestures(hands, self.gestures.read([h.keypoints for h in hands]))
        return hands

    def process_frame(self, image: np.ndarray, seconds: float, boxes: np.ndarray | None = None) -> list[HandResult]:
        """Return the hands of the next frame of a video, which was taken at this time."""
        if self.detector is None:
            hands = self._find(image, boxes)
            for i, hand in enumerate(hands):
                hand.track = i + 1
        else:
            with self.clock('tracking'):
                tracks = self.tracker.step(image)
            hands = [_make_hand(t.result, track=t.id, det_score=t.det_score, handedness=t.side) for t in tracks]
        if self.smoothing is not None:
            for hand in hands:
                self._smooth(hand, seconds)
        if self.gestures is not None:
            signs = self.gestures.read_frame([h.keypoints for h in hands], [h.track for h in hands])
            _set_gestures(hands, signs)
        return hands

    def smoothing_lag(self) -> dict[str, float | None]:
        """Return by how many seconds smoothing has delayed the keypoints so far; None if nothing has moved enough.

        ``lag`` is measured on their movement, over the last 3,000 frames of each hand (:func:`measure_lag`). ``delay``
        is the filter's own, averaged with the speed as weight.
        """
        paths = [Trajectory(*map(np.array, zip(*steps, strict=True))) for steps in self._paths.values()]
        lag = measure_lag([path._replace(size=float(np.mean(path.size))) for path in paths])
        return dict(lag=lag, delay=round(self._delay / self._distance, 3) if self._distance else None)

    def _find(self, image: np.ndarray, boxes: np.ndarray | None) -> list[HandResult]:
        if self.detector is None:
            return [_make_hand(result) for result in self._estimate(image, boxes)]
        boxes, scores, sides = self._detect(image)
        found = zip(self._estimate(image, boxes), scores, sides, strict=True)
        return [_make_hand(result, det_score=float(score), handedness=side) for result, score, side in found]

    def _detect(self, image: np.ndarray) -> Detections:
        with self.clock('detection'):
            return self.detector(image)

    def _estimate(self, image: np.ndarray, boxes: np.ndarray) -> list[dict[str, Any]]:
        with self.clock('pose'):
            return predict(self.model, image, boxes, self.batch_size, self.left)

    def _smooth(self, hand: HandResult, seconds: float) -> None:
        size = float((hand.box[2:] - hand.box[:2]).max())
        hand.raw_keypoints = hand.keypoints
        past = self._paths.setdefault(hand.track, deque(maxlen=_HISTORY))
        one_euro = self._filters.setdefault(hand.track, OneEuroFilter(**self.smoothing))
        hand.keypoints = one_euro(hand.raw_keypoints, seconds, size).astype(np.float32)
        if past:
            distance = np.linalg.norm(hand.keypoints - past[-1][2], axis=1) / size
            self._delay += float((distance * one_euro.delay).sum())
            self._distance += float(distance.sum())
        past.append((seconds, hand.raw_keypoints.astype(np.float32), hand.keypoints, size))


def _make_hand(result: dict[str, Any], **more: Any) -> HandResult:
    maps = dict(heatmap=result.get('heatmap'), mesh=result.get('mesh'))
    return HandResult(result['bbox'], result['keypoints'], result['scores'], **maps, **more)


def _set_gestures(hands: Sequence[HandResult], signs: Sequence[tuple[str, float]]) -> None:
    for hand, sign in zip(hands, signs, strict=True):
        hand.gesture = sign
