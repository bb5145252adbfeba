"""Hands for tests of following them: places that move over a blank picture, without any network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handkp_plugins.apis.detection import Detections

SIZE = (320, 240)
IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
SHAPE = np.random.default_rng(0).uniform(-0.5, 0.5, (21, 2))
SHAPE[:2] = [[-0.5, -0.5], [0.5, 0.5]]


@dataclass
class Hand:
    """A hand at a place [x, y], of a size, with a side; out of sight where ``score`` is below 0.3."""

    place: Sequence[float]
    size: float = 60.0
    score: float = 0.9
    side: str | None = None

    @property
    def keypoints(self) -> np.ndarray:
        return np.asarray(self.place, float) + self.size * SHAPE

    @property
    def box(self) -> np.ndarray:
        return np.array([*self.keypoints.min(0), *self.keypoints.max(0)], np.float32)


@dataclass
class World:
    """A detector that sees ``hands`` (where it is not ``blind``), and a network that finds the one whose middle lies in
    a box, or else scores nearly nothing."""

    hands: list[Hand] = field(default_factory=list)
    blind: bool = False
    detected: int = 0

    def detect(self, image: np.ndarray) -> Detections:
        self.detected += 1
        hands = [] if self.blind else self.hands
        boxes = np.array([h.box for h in hands], np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(hands), 0.8, np.float32), [h.side for h in hands])

    def estimate(self, image: np.ndarray, boxes: np.ndarray) -> list[dict[str, Any]]:
        return [self._look(box) for box in boxes]

    def _look(self, box: np.ndarray) -> dict[str, Any]:
        middle = (box[:2] + box[2:]) / 2
        near = min(self.hands, key=lambda h: np.linalg.norm(h.place - middle), default=None)
        if near is None or not (box[:2] < near.place).all() or not (near.place < box[2:]).all():
            return dict(bbox=box, keypoints=middle + 10 * SHAPE, scores=np.full(21, 0.05))
        return dict(bbox=box, keypoints=near.keypoints, scores=np.full(21, near.score))
