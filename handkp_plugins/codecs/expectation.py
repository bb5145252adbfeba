"""Maps whose keypoint is the mean position over the whole map: Gaussian score maps, and disks."""

import logging

import torch
from mmengine.logging import print_log
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from .gaussian_heatmap import GaussianHeatmap


@KEYPOINT_CODECS.register_module()
class ExpectationHeatmap(GaussianHeatmap):
    """Gaussian score maps, decoded by their expectation (joint heads, section 3.2.2).

    Negative scores count as 0; the rest, normalised to sum 1, weighs the positions. A map without any positive score
    has no expectation: its largest score is taken, with a keypoint score of 0. Such maps are counted (:attr:`empty` of
    :attr:`decoded`), and a warning tells their number at the first and whenever it has doubled.

    Conventions, letters and targets are those of :class:`GaussianHeatmap`.

    Args:
        input_size: Size of the network's input.
        heatmap_size: Size of the map; the input's by default.
        variance: Variance of the Gaussian in input px².
        epsilon: Added to the sum that the scores are divided by.
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
        self.empty = self.decoded = self._told = 0

    def to_weights(self, heatmaps: Tensor) -> Tensor:
        """What the head puts out → weights ≥ 0 of the positions, of the same shape."""
        return heatmaps.clamp(min=0)

    @torch.no_grad()
    def locate(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, K, h, w) → keypoints (B, K, 2) in input pixels, scores (B, K): the largest weight, 0 to 1."""
        if heatmaps.ndim != 4:
            raise ValueError(f'heatmaps: expected shape (B, K, h, w), got {tuple(heatmaps.shape)}')
        heatmaps = heatmaps.float()
        h, w = heatmaps.shape[2:]
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
        stride = position.new_tensor([self.input_size[0] / w, self.input_size[1] / h])
        return (position + 0.5) * stride - 0.5, score.clamp(0, 1)

    def _count(self, empty: int, decoded: int) -> None:
        self.empty += empty
        self.decoded += decoded
        if empty and self.empty >= 2 * self._told:
            self._told = self.empty
            print_log(
                f'{type(self).__name__}: {self.empty} of {self.decoded} maps so far had no positive score; '
                'their largest one was taken instead of the mean position',
                logger='current',
                level=logging.WARNING,
            )


@KEYPOINT_CODECS.register_module()
class DiskMap(ExpectationHeatmap):
    """Maps that say of each pixel whether it is within a radius of the keypoint (joint heads, section 3.2.1).

    The target is 1 inside the disk, its edge included, and 0 outside; the head puts out logits (``MapBCELoss``), whose
    sigmoid is the probability. The expectation of the normalised probabilities is the keypoint. The disk is the
    paper's remedy for one pixel of many being 1; classes are not weighted besides.

    A keypoint whose disk does not touch the input gets weight 0. ``empty`` can only count maps of vanished numbers.

    Args:
        input_size: Size of the network's input.
        heatmap_size: Size of the map; the input's by default.
        radius: Radius of the disk in input px.
        epsilon: Added to the sum that the probabilities are divided by.
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
        """Squared distances of the bins' centres, in input px²: (B, K) → (B, K, bins)."""
        centre = (torch.arange(bins, device=mean.device, dtype=torch.float32) + 0.5) * (length / bins) - 0.5
        return (centre - mean.unsqueeze(-1)).square()

    def _join(self, along_y: Tensor, along_x: Tensor) -> Tensor:
        return (along_y + along_x <= self.radius**2).float()

    def to_weights(self, heatmaps: Tensor) -> Tensor:
        """Logits → probabilities."""
        return heatmaps.sigmoid()
