"""Maps decoded by the mean position over the whole map: Gaussian score maps, and disks."""

import logging

import torch
from mmengine.logging import print_log
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from .gaussian_heatmap import GaussianHeatmap


@KEYPOINT_CODECS.register_module()
class ExpectationHeatmap(GaussianHeatmap):
    """Gaussian score maps, decoded by their expectation (joint heads, section 3.2.2).

    Negative scores count as 0; the others, normalised to sum 1, weight the positions. A map without any positive score
    has no expectation: the keypoint is at its largest score, with a score of 0. Such maps are counted (:attr:`empty` of
    :attr:`decoded`); a warning gives their number at the first one and each time it has doubled.

    Conventions, letters, targets and other arguments are those of :class:`GaussianHeatmap`. ``epsilon`` is added to the
    sum of the scores before the division.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int] | None = None,
        variance: float = 100.0,
        epsilon: float = 1e-6,
    ) -> None:
        super().__init__(input_size, heatmap_size, variance)
        if epsilon <= 0:
            raise ValueError(f'epsilon: expected a positive number, got {epsilon}')
        self.epsilon = epsilon
        self.empty = self.decoded = self._last_warning = 0

    def to_weights(self, heatmaps: Tensor) -> Tensor:
        """Outputs of the head → weights ≥ 0 of the positions, with the same shape."""
        return heatmaps.clamp(min=0)

    @torch.no_grad()
    def locate(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, K, h, w) → keypoints (B, K, 2) in input pixels, scores (B, K): the largest weight, 0 to 1."""
        h, w = self._map_size(heatmaps)
        heatmaps = heatmaps.float()
        weights = self.to_weights(heatmaps)
        total = weights.sum((2, 3)).unsqueeze(-1) + self.epsilon  # (B, K, 1)
        x, y = (torch.arange(n, device=weights.device, dtype=torch.float32) for n in (w, h))
        position = torch.stack([weights.sum(2) @ x, weights.sum(3) @ y], -1) / total  # (B, K, 2)
        score = weights.amax((2, 3))
        empty = score <= 0
        if empty.any():
            peak = heatmaps.flatten(2).argmax(-1)
            position = position.where(~empty.unsqueeze(-1), torch.stack([peak % w, peak // w], -1).float())
        self._count(int(empty.sum()), empty.numel())
        return self._to_input(position, w, h), score.clamp(0, 1)

    def _count(self, empty: int, decoded: int) -> None:
        self.empty += empty
        self.decoded += decoded
        if empty and self.empty >= 2 * self._last_warning:
            self._last_warning = self.empty
            print_log(
                f'{type(self).__name__}: {self.empty} of {self.decoded} maps so far had no positive score; '
                'their keypoint is at the largest score instead of the mean position',
                logger='current',
                level=logging.WARNING,
            )


@KEYPOINT_CODECS.register_module()
class DiskMap(ExpectationHeatmap):
    """Maps that classify whether a pixel is within a radius of the keypoint (joint heads, section 3.2.1).

    The target is 1 inside the disk, including its edge, and 0 outside. The head outputs logits (``MapBCELoss``), whose
    sigmoid is the probability; the keypoint is the expectation of the normalised probabilities. The paper uses a disk
    rather than one pixel against class imbalance; the classes have no weights.

    A keypoint whose disk does not touch the input gets weight 0. ``empty`` counts maps whose probabilities underflow.
    The radius of the disk is in input px; ``epsilon`` is added to the sum of the probabilities before the division.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int] | None = None,
        radius: float = 16.0,
        epsilon: float = 1e-6,
    ) -> None:
        super().__init__(input_size, heatmap_size, epsilon=epsilon)
        if radius <= 0:
            raise ValueError(f'radius: expected a positive number of px, got {radius}')
        self.radius = float(radius)

    def _margin(self) -> float:
        return self.radius

    def _profile(self, mean: Tensor, length: int, bins: int) -> Tensor:
        """Keypoints (B, K) → squared distances to the centres of the bins (B, K, bins), in input px²."""
        centre = (torch.arange(bins, device=mean.device, dtype=torch.float32) + 0.5) * (length / bins) - 0.5
        return (centre - mean.unsqueeze(-1)).square()

    def _join(self, along_y: Tensor, along_x: Tensor) -> Tensor:
        return (along_y + along_x <= self.radius**2).float()

    def to_weights(self, heatmaps: Tensor) -> Tensor:
        """Logits → probabilities."""
        return heatmaps.sigmoid()
