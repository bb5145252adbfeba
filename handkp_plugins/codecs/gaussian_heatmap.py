"""Gaussian heatmaps with targets made on the device, for a whole batch at once."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

_PLACEMENTS = 3  # how often a window moves to the mean of its content: two suffice in the middle, three at a border
REFINEMENTS = ('centroid', 'quarter', 'none')


@KEYPOINT_CODECS.register_module()
class GaussianHeatmap(BaseKeypointCodec):
    """One isotropic Gaussian of height 1 per keypoint (P-MSDSNet, section 3.4.1).

    The loader only sends coordinates (:meth:`encode`); the head makes maps of them on the device
    (:meth:`make_heatmaps`). A Gaussian is separable, so a map is the outer product of two vectors. A coarse map is the
    map of the input's resolution, resized bilinearly (``align_corners=False``); bilinear resizing is separable, too, so
    only the vectors are resized.

    Pixel convention, as in MMPose's ``TopdownAffine``: pixel ``i`` of the input has its centre at coordinate ``i``.
    Pixel ``j`` of a map with stride ``s`` covers ``s`` input pixels and has its centre at ``(j + 0.5) s - 0.5``. A
    mirrored map then fits the mirrored input exactly, so flip tests need ``shift_heatmap=False``.

    Letters: B batch, K keypoints, [W, H] sizes, ``w`` and ``h`` the size of a map.

    Args:
        input_size: Size of the network's input.
        heatmap_size: Size of the finest map; the input's by default.
        variance: Variance of the Gaussian in input px².
        logits: Whether the maps to decode are logits of a softmax over all positions (``SoftmaxHeatmapLoss``) rather
            than estimates of the Gaussian (``KeypointMSELoss``).
        refinement: How to find the position between pixels from the best pixel: ``'centroid'``, the mean position
            in a window, weighted by the map (its positive part, or its softmax); ``'quarter'``, a quarter pixel towards
            the larger neighbour in x and y, as in MMPose; ``'none'``.
        window: Radius of the window in map pixels; 2.5 standard deviations by default. The best pixel has the largest
            value; with logits, its window has the largest share of the softmax, and a larger window helps a network
            with flat maps.
    """

    label_mapping_table = dict(keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights')

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int] | None = None,
        variance: float = 3.0,
        logits: bool = False,
        refinement: str = 'centroid',
        window: int | None = None,
    ) -> None:
        super().__init__()
        heatmap_size = input_size if heatmap_size is None else heatmap_size
        for name, size in (('input_size', input_size), ('heatmap_size', heatmap_size)):
            if len(size) != 2 or any(int(v) != v or v < 1 for v in size):
                raise ValueError(f'{name}: expected [W, H] of two positive integers, got {size}')
        if variance <= 0:
            raise ValueError(f'variance: expected a positive number of px², got {variance}')
        if refinement not in REFINEMENTS:
            raise ValueError(f'refinement: expected {REFINEMENTS}, got {refinement!r}')
        if window is not None and (int(window) != window or window < 1):
            raise ValueError(f'window: expected None or an integer from 1, got {window}')
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.heatmap_size = (int(heatmap_size[0]), int(heatmap_size[1]))
        self.variance = float(variance)
        self.logits = logits
        self.refinement = refinement
        self.window = window

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Return ``keypoint_labels`` (1, K, 2) and ``keypoint_weights`` (1, K), float32.

        Keypoints are input pixels, (1, K, 2): top-down samples have one instance. Visibilities (1, K) are 1 by default.
        A keypoint three standard deviations beyond the border, MMPose's limit for its own heatmaps, gets weight 0.
        """
        if keypoints.ndim != 3 or keypoints.shape[0] != 1 or keypoints.shape[2] < 2:
            raise ValueError(f'keypoints: expected shape (1, K, 2), one instance, got {keypoints.shape}')
        labels = keypoints[..., :2].astype(np.float32)
        weights = np.ones(labels.shape[:2]) if keypoints_visible is None else keypoints_visible
        margin = self._margin()
        low, high = -margin, np.array(self.input_size, np.float32) - 1 + margin
        weights = weights.astype(np.float32) * ((labels >= low) & (labels <= high)).all(-1)
        return dict(keypoint_labels=labels, keypoint_weights=weights)

    def _margin(self) -> float:
        return 3 * self.variance**0.5

    def make_heatmaps(
        self, keypoints: Tensor, weights: Tensor | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """Return the maps (B, K, h, w) of keypoints (B, K, 2) in input pixels, float32, on their device.

        A keypoint with a weight (B, K) of 0 gets an empty map, even if its coordinates are NaN. ``size`` is [w, h], by
        default ``heatmap_size``.
        """
        if keypoints.ndim != 3 or keypoints.shape[-1] != 2:
            raise ValueError(f'keypoints: expected shape (B, K, 2), got {tuple(keypoints.shape)}')
        keypoints = keypoints.float()
        if weights is not None:
            # a Gaussian at infinity is exactly zero
            keypoints = keypoints.masked_fill(weights.unsqueeze(-1) <= 0, float('inf'))
        w, h = self.heatmap_size if size is None else size
        along_x = self._profile(keypoints[..., 0], self.input_size[0], w)  # (B, K, w)
        along_y = self._profile(keypoints[..., 1], self.input_size[1], h)  # (B, K, h)
        return self._join(along_y.unsqueeze(-1), along_x.unsqueeze(-2))  # (B, K, h, w)

    @staticmethod
    def _join(along_y: Tensor, along_x: Tensor) -> Tensor:
        return along_y * along_x

    def _profile(self, mean: Tensor, length: int, bins: int) -> Tensor:
        """Means (B, K) → exp(-(i - mean)² / 2σ²) for i in 0…length-1, resized linearly to (B, K, bins)."""
        position = torch.arange(length, device=mean.device, dtype=torch.float32)
        vector = (-(position - mean.unsqueeze(-1)).square() / (2 * self.variance)).exp()
        if bins != length:
            vector = F.interpolate(vector, size=bins, mode='linear', align_corners=False)
        return vector

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decode the maps (K, h, w) of one sample → keypoints (1, K, 2) in input pixels, scores (1, K)."""
        keypoints, scores = self.batch_decode(torch.as_tensor(encoded).unsqueeze(0))
        return keypoints[0], scores[0]

    def batch_decode(self, batch_encoded: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Decode maps (B, K, h, w) of any size and type → keypoints (B, 1, K, 2) in input pixels, scores (B, 1, K).

        A score, in [0, 1], is the map's largest value, or for logits the share of the softmax in the best window.
        """
        keypoints, scores = self.locate(batch_encoded)
        return keypoints.unsqueeze(1).cpu().numpy(), scores.unsqueeze(1).cpu().numpy()

    @torch.no_grad()
    def locate(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Decode like :meth:`batch_decode`, to tensors on the device: (B, K, h, w) → (B, K, 2), (B, K)."""
        h, w = self._map_size(heatmaps)
        reach = self._reach(min(self.input_size[0] / w, self.input_size[1] / h))
        maps = heatmaps.float()
        if self.logits:
            maps = maps.flatten(2).softmax(-1).view_as(maps)
            mass = F.avg_pool2d(maps, 2 * reach + 1, 1, reach, divisor_override=1)
            score, peak = mass.flatten(2).max(-1)
        else:
            score, peak = maps.flatten(2).max(-1)
            maps = maps.clamp(min=0)
        pixel = torch.stack([peak % w, peak // w], -1)  # (B, K, 2), x and y
        for _ in range(_PLACEMENTS if self.logits else 0):
            # a distribution narrower than the window allows several best windows: centre the window on its mean
            pixel = pixel + self._shift(maps, pixel, reach, 'centroid').round().long()
        position = pixel + self._shift(maps, pixel, reach, self.refinement)
        return self._to_input(position, w, h), score.clamp(0, 1)

    @staticmethod
    def _map_size(heatmaps: Tensor) -> torch.Size:
        if heatmaps.ndim != 4:
            raise ValueError(f'heatmaps: expected shape (B, K, h, w), got {tuple(heatmaps.shape)}')
        return heatmaps.shape[2:]

    def _to_input(self, position: Tensor, w: int, h: int) -> Tensor:
        """Pixels of a map → input pixels, both (B, K, 2)."""
        return (position + 0.5) * position.new_tensor([self.input_size[0] / w, self.input_size[1] / h]) - 0.5

    @staticmethod
    def _shift(maps: Tensor, pixel: Tensor, reach: int, refinement: str) -> Tensor:
        """Return the offset (B, K, 2) from pixels (B, K, 2) to positions between pixels, for maps ≥ 0 (B, K, h, w).

        Near a border the window shrinks on both sides: cut on one side only, its mean would be biased inwards.
        """
        h, w = maps.shape[2:]
        offset = torch.arange(-reach, reach + 1, device=maps.device)
        dx, dy = (d.flatten() for d in torch.meshgrid(offset, offset, indexing='xy'))  # (n,), n = (2 reach + 1)²
        x, y = pixel[..., :1] + dx, pixel[..., 1:] + dy  # (B, K, n)
        room = torch.minimum(pixel, pixel.new_tensor([w - 1, h - 1]) - pixel)  # (B, K, 2), to the nearest border
        inside = (dx.abs() <= room[..., :1]) & (dy.abs() <= room[..., 1:])
        values = maps.flatten(2).gather(-1, y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) * inside
        if refinement == 'centroid':
            total = values.sum(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
            return values @ torch.stack([dx, dy], -1).float() / total
        if refinement == 'quarter':
            steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
            ahead_x, back_x, ahead_y, back_y = (values[..., (dx == i) & (dy == j)] for i, j in steps)  # (B, K, 1)
            return 0.25 * torch.cat([(ahead_x - back_x).sign(), (ahead_y - back_y).sign()], -1)
        return torch.zeros_like(pixel, dtype=torch.float32)

    def _reach(self, stride: float) -> int:
        """Return the radius of the window in map pixels."""
        return self.window or math.ceil(2.5 * self.variance**0.5 / stride)
