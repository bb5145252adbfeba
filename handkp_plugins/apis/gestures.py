"""Recognise signs from keypoints of hands, in images and videos."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import load_weights
from handkp_plugins.engine.config import load_config
from handkp_plugins.errors import CheckpointError

from .inference import resolve_device


class GestureReader:
    """A network that recognises signs.

    Args:
        config, checkpoint: Of a training; the names and the number of classes come from the checkpoint.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        frames: Number of the last frames of a video that vote, from 1 on.

    Raises CheckpointError if the checkpoint is damaged, of another network, or does not name its classes.
    """

    def __init__(self, config: str | Path, checkpoint: str | Path, device: str = 'auto', frames: int = 15) -> None:
        if frames < 1:
            raise ValueError(f'frames: expected an integer from 1, got {frames}')
        cfg = load_config(config)
        if 'num_classes' not in cfg.model:
            raise ValueError(f'{config}: expected a network with num_classes, got {cfg.model.type}')
        stored = read_checkpoint(str(checkpoint))
        classes = (stored.get('meta') or {}).get('dataset_meta', {}).get('classes')
        if not classes:
            raise CheckpointError(f'{checkpoint}: expected names of classes, as tools/train.py writes them, got none')
        self.classes = tuple(map(str, classes))
        init_default_scope(cfg.get('default_scope') or 'mmpose')
        self.device = resolve_device(device)
        self.model = MODELS.build(dict(cfg.model, num_classes=len(self.classes)))
        load_weights(self.model, stored, str(checkpoint))
        self.model.to(self.device).eval()
        self.frames = frames
        self._votes: dict[int, deque] = {}

    def read(self, hands: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """Return the sign of each hand in one image, of keypoints (21, 2) in pixels, and its probability."""
        return [self._best(shares) for shares in self._probabilities(hands)]

    def read_frame(self, hands: Sequence[np.ndarray], tracks: Sequence[int] | None = None) -> list[tuple[str, float]]:
        """As :meth:`read`, for the next frame of a video: the mean probability of the last frames decides.

        ``tracks`` has the same number for the same hand in each frame; by default its index.
        """
        tracks = range(len(hands)) if tracks is None else tracks
        # The votes of a hand that is gone do not count for the next one.
        self._votes = {track: self._votes.get(track, deque(maxlen=self.frames)) for track in tracks}
        for track, shares in zip(tracks, self._probabilities(hands), strict=True):
            self._votes[track].append(shares)
        return [self._best(np.mean(self._votes[track], axis=0)) for track in tracks]

    @torch.no_grad()
    def _probabilities(self, hands: Sequence[np.ndarray]) -> list[np.ndarray]:
        if not len(hands):
            return []
        points = torch.tensor(np.stack(hands), dtype=torch.float32, device=self.device)
        scores = self.model(**self.model.data_preprocessor(dict(inputs=points)))
        return list(scores.softmax(1).cpu().numpy())

    def _best(self, shares: np.ndarray) -> tuple[str, float]:
        return self.classes[int(shares.argmax())], float(shares.max())
